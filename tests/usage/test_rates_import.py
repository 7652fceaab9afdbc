"""Rates come in by whole files: every fault is told at once, and a new version ends the old one."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.tenancy import system_access
from common.errors import Invalid
from tests.factories import NOW, Company
from tests.usage.helpers import at, call
from usage.models import PricingRate
from usage.services.importing import Imported, Owner, import_rates, owner_of_plan

D = Decimal
ROOT = Path(__file__).parents[2]
HEADER = "destination_prefix,country,unit_price,effective_from"
TOMORROW_EVERYWHERE = "2026-03-12"  # NOW is the 10th at noon, and the 11th has begun on Kiritimati


def load(*lines: str, header: str = HEADER, plan: str = "free_trial", **options: Any) -> Imported:
    with system_access("test"):
        return import_rates(owner=owner_of_plan(plan), content="\n".join([header, *lines]).encode(), now=NOW, **options)


def faults(*lines: str, header: str = HEADER) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refusal:
        load(*lines, header=header)
    return [(fault.pointer, fault.code) for fault in refusal.value.errors]


def stored(prefix: str = "49") -> list[tuple[Decimal, date, date | None, int]]:
    with system_access("test"):
        rates = PricingRate.objects.filter(plan__slug="free_trial", destination_prefix=prefix).order_by(
            "effective_from"
        )
        return [(rate.unit_price, rate.effective_from, rate.effective_until, rate.version) for rate in rates]


class TestWhatIsAdded:
    def test_prices_calls_from_then_on(self, acme: Company) -> None:
        assert load("49,DE,0.02,2026-03-01", "4915,DE,0.05,2026-03-01") == Imported(created=2)
        assert call(acme, 61, destination="+4930555010").total_cost == D("0.04")
        assert call(acme, 61, destination="+4915155501").total_cost == D("0.10")

    def test_is_outbound_by_the_minute_unless_it_says_otherwise(self, acme: Company) -> None:
        load("49,DE,0.02,2026-03-01")
        columns = (
            "channel,resource_type,direction,destination_prefix,unit_price,initial_seconds,step_seconds,effective_from"
        )
        load("voice,minute,inbound,800,0.01,6,6,2026-03-01", "sms,message,,44,0.04,,,2026-03-01", header=columns)
        with system_access("test"):
            found = PricingRate.objects.filter(destination_prefix__in=["49", "800", "44"]).order_by(
                "destination_prefix"
            )
            assert [(r.direction, r.initial_seconds, r.step_seconds, r.currency) for r in found] == [
                ("", 0, 0, "USD"), ("outbound", 60, 60, "USD"), ("inbound", 6, 6, "USD"),
            ]  # fmt: skip

    def test_tiers_stand_as_json_in_their_cell(self, acme: Company) -> None:
        tiers = '"[{""up_to"": ""10"", ""unit_price"": ""1""}, {""up_to"": null, ""unit_price"": ""0.5""}]"'
        header = "destination_prefix,unit_price,model,tiers,effective_from"
        load(f"49,0,graduated,{tiers},2026-03-01", header=header)
        assert call(acme, 61, destination="+4930555010").total_cost is None

    def test_may_be_one_tenant_s_own(self, acme: Company, globex: Company) -> None:
        content = f"{HEADER}\n1,US,0.001,2026-03-01".encode()
        with system_access("test"):
            import_rates(owner=Owner("USD", tenant_id=acme.tenant.pk), content=content, now=NOW)
        assert call(acme, 60).total_cost == D("0.001")
        assert call(globex, 60).total_cost == D("0.015")


class TestVersions:
    def test_a_new_one_ends_the_old_the_day_before(self, acme: Company) -> None:
        load("49,DE,0.02,2026-03-01")
        assert load(f"49,DE,0.03,{TOMORROW_EVERYWHERE}") == Imported(replaced=1)
        assert stored() == [
            (D("0.02"), date(2026, 3, 1), date(2026, 3, 11), 1),
            (D("0.03"), date(2026, 3, 12), None, 2),
        ]
        assert call(acme, 60, destination="+4930555010", occurred_at=at(2026, 3, 11)).total_cost == D("0.02")
        assert call(acme, 60, destination="+4930555010", occurred_at=at(2026, 3, 12)).total_cost == D("0.03")

    def test_the_same_file_again_changes_nothing(self, acme: Company) -> None:
        load("49,DE,0.02,2026-03-01")
        before = stored()
        assert load("49,DE,0.0200,2026-03-01") == Imported(unchanged=1)
        assert load("49,DE,0.02,2026-05-01") == Imported(unchanged=1)
        assert stored() == before

    def test_a_file_may_bring_several_of_one_price(self, acme: Company) -> None:
        assert load("49,DE,0.02,2026-04-01", "49,DE,0.03,2026-05-01") == Imported(created=2)
        assert [row[1:3] for row in stored()] == [
            (date(2026, 4, 1), date(2026, 4, 30)), (date(2026, 5, 1), None),
        ]  # fmt: skip

    def test_one_before_a_later_one_ends_where_that_begins(self, acme: Company) -> None:
        load("49,DE,0.03,2026-05-01")
        load("49,DE,0.02,2026-04-01")
        assert [row[:3] for row in stored()] == [
            (D("0.02"), date(2026, 4, 1), date(2026, 4, 30)), (D("0.03"), date(2026, 5, 1), None),
        ]  # fmt: skip

    @pytest.mark.parametrize("day", ["2026-03-02", "2026-03-10", "2026-03-11"])
    def test_none_replaces_a_price_of_a_day_that_has_begun_somewhere(self, acme: Company, day: str) -> None:
        load("49,DE,0.02,2026-03-01")
        assert faults(f"49,DE,0.03,{day}") == [("/2/effective_from", "too-early")]
        assert len(stored()) == 1

    def test_one_from_the_same_day_never_changes(self, acme: Company) -> None:
        load("49,DE,0.02,2026-06-01")
        assert faults("49,DE,0.03,2026-06-01") == [("/2/effective_from", "in-force")]


class TestFaults:
    @pytest.mark.parametrize(
        ("line", "pointer", "code"),
        [
            ("+49,DE,0.02,2026-03-01", "/2/destination_prefix", "unreadable"),
            ("49,de,0.02,2026-03-01", "/2/country", "unreadable"),
            ("49,DE,-0.02,2026-03-01", "/2/unit_price", "unreadable"),
            ('49,DE,"0,02",2026-03-01', "/2/unit_price", "unreadable"),
            ("49,DE,,2026-03-01", "/2/unit_price", "required"),
            ("49,DE,0.02,", "/2/effective_from", "required"),
            ("49,DE,0.02,2026-02-30", "/2/effective_from", "unreadable"),
            ("49,DE,0.02,2026-03-01,x", "/2", "surplus"),
        ],
    )
    def test_point_at_line_and_column(self, db: None, line: str, pointer: str, code: str) -> None:
        assert faults(line) == [(pointer, code)]

    @pytest.mark.parametrize(
        ("header", "line", "pointer"),
        [
            ("channel,resource_type", "fax,page", "/2/resource_type"),
            ("currency", "EUR", "/2/currency"),
            ("model", "graduated", "/2/tiers"),
            ("effective_until", "2026-02-01", "/2/effective_until"),
            ("initial_seconds,step_seconds", "60,0", "/2"),
            ("tiers", "none", "/2/tiers"),
            ("model,package_size", "package,0", "/2"),
        ],
    )
    def test_of_other_columns(self, db: None, header: str, line: str, pointer: str) -> None:
        assert faults(f"49,DE,0.02,2026-03-01,{line}", header=f"{HEADER},{header}")[0][0] == pointer

    def test_are_all_told_and_nothing_is_written(self, db: None) -> None:
        found = faults("49,DE,0.02,2026-03-01", "44,GB,x,2026-03-01", "49,DE,0.03,2026-03-01", "33,FR,1,soon")
        assert found == [
            ("/3/unit_price", "unreadable"),
            ("/4/destination_prefix", "repeated"),
            ("/5/effective_from", "unreadable"),
        ]
        assert stored() == []

    def test_a_plan_there_is_not(self, db: None) -> None:
        with pytest.raises(Invalid) as refusal:
            load("49,DE,0.02,2026-03-01", plan="platinum")
        assert refusal.value.code == "unknown-plan"


class TestCommand:
    SAMPLE = ROOT / "docs/samples/voice-rates.csv"

    def test_the_sample_is_imported_whole_and_once(self, acme: Company, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("import_rates", str(self.SAMPLE), plan="free_trial")
        call_command("import_rates", str(self.SAMPLE), plan="free_trial")
        count = len(self.SAMPLE.read_text().splitlines()) - 1
        assert count > 200
        assert capsys.readouterr().out == (
            f"{count} added, 0 replaced, 0 unchanged.\n0 added, 0 replaced, {count} unchanged.\n"
        )
        assert call(acme, 60, destination="+4930555010").total_cost == D("0.022")

    def test_a_trial_run_writes_nothing(self, db: None, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("import_rates", str(self.SAMPLE), "--dry-run", plan="free_trial")
        assert capsys.readouterr().out.startswith("Would be: ")
        assert stored() == []

    def test_tells_each_fault_on_a_line(self, db: None, tmp_path: Path) -> None:
        file = tmp_path / "rates.csv"
        file.write_text(f"{HEADER}\n49,DE,x,2026-03-01\n44,GB,1,never\n")
        with pytest.raises(CommandError) as refusal:
            call_command("import_rates", str(file), plan="free_trial")
        told = str(refusal.value).splitlines()
        assert [line.partition(":")[0] for line in told] == ["Line 2", "Line 3", "Nothing was written."]

    @pytest.mark.parametrize("options", [{"plan": "none"}, {"tenant": "none"}])
    def test_refuses_an_owner_there_is_not(self, db: None, options: dict[str, str]) -> None:
        with pytest.raises(CommandError):
            call_command("import_rates", str(self.SAMPLE), **options)

    def test_refuses_a_file_there_is_not(self, db: None) -> None:
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("import_rates", "/nowhere/rates.csv", plan="free_trial")
