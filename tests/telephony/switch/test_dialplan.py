"""What a call that comes in meets."""

from datetime import datetime

import pytest
from django.test import Client

from accounts.audit import SYSTEM
from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from telephony.inbound.extensions import create_extension
from telephony.models import PhoneNumber
from telephony.switch.answers import Answers
from tests.factories import Company
from tests.telephony.conftest import NUMBER
from tests.telephony.switch.conftest import TRACES, Ask, is_not_found

PARKED = [{"application": "set", "data": "irisx_inbound=true"}, {"application": "park"}]
UNKNOWN = [{"application": "hangup", "data": "UNALLOCATED_NUMBER"}]
BARRED = [{"application": "hangup", "data": "OUTGOING_CALL_BARRED"}]


def dial(ask: Ask, number: str, context: str = "public", **more: str) -> list[dict[str, str]]:
    fields = {"Caller__Context": context, "Hunt__Context": context, "Hunt__Destination__Number": number, **more}
    found = ask("dialplan", **fields)
    assert found.find("section").attrib == {"name": "dialplan"}
    assert found.find("section/context").attrib == {"name": context}
    return [dict(action.attrib) for action in found.iter("action")]


@pytest.mark.parametrize("written", [NUMBER, NUMBER[1:]])
def test_a_call_to_a_number_of_ours_is_parked_unanswered(acme_line: Company, ask: Ask, written: str) -> None:
    assert dial(ask, written) == PARKED


@pytest.mark.parametrize(
    "dialled", ["+15550101234", "", "101", "+1555010999 9", "+1555010999९", f"{NUMBER}\x00", "park:inline", "é" * 900]
)
def test_a_call_to_nobody_is_refused(acme_line: Company, ask: Ask, dialled: str) -> None:
    assert dial(ask, dialled) == UNKNOWN


@pytest.mark.parametrize("status", [Tenant.Status.SUSPENDED, Tenant.Status.CLOSED])
def test_a_company_shut_out_gets_no_calls_from_now_on(
    acme_line: Company, ask: Ask, status: Tenant.Status, django_capture_on_commit_callbacks
) -> None:
    assert dial(ask, NUMBER) == PARKED

    with django_capture_on_commit_callbacks(execute=True), system_access("shut out"):
        acme_line.tenant.status = status
        acme_line.tenant.save(update_fields=["status"])

    assert dial(ask, NUMBER) == UNKNOWN


def test_a_number_out_of_use_is_nobodys_from_now_on(
    acme_line: Company, ask: Ask, django_capture_on_commit_callbacks
) -> None:
    assert dial(ask, NUMBER) == PARKED

    with django_capture_on_commit_callbacks(execute=True), tenant_scope(acme_line.tenant.pk):
        number = PhoneNumber.objects.for_tenant(acme_line.tenant).get()
        number.is_active = False
        number.save(update_fields=["is_active"])

    assert dial(ask, NUMBER) == UNKNOWN


def test_a_telephone_reaches_its_own_companys_numbers_alone(
    acme_line: Company, globex: Company, ask: Ask, now: datetime
) -> None:
    users = {}
    for company in (acme_line, globex):
        with tenant_scope(company.tenant.pk):
            made = create_extension(tenant_id=company.tenant.pk, number="101", by=SYSTEM, now=now)
        users[company.tenant.name] = {
            "variable_user_name": made.extension.sip_user,
            "variable_sip_authorized": "true",
        }

    assert dial(ask, NUMBER, "agents", **users["Acme"]) == PARKED
    assert dial(ask, NUMBER, "agents", **users["Globex"]) == BARRED
    assert dial(ask, NUMBER, "agents", **{**users["Acme"], "variable_sip_authorized": "false"}) == BARRED
    assert dial(ask, "+15550101234", "agents", **users["Acme"]) == BARRED


@pytest.mark.parametrize("context", ["default", "", "features"])
def test_other_contexts_are_the_switchs_own(acme_line: Company, ask: Ask, context: str) -> None:
    assert is_not_found(ask("dialplan", Caller__Context=context, Caller__Destination__Number=NUMBER))


def test_what_was_recorded_is_answered(db: None, switch: Client) -> None:
    for path in TRACES.glob("xml-curl-dialplan-*.http.txt"):
        body = path.read_bytes().partition(b"\r\n\r\n")[2]
        answer = switch.post("/freeswitch/dialplan", body, content_type="application/x-www-form-urlencoded")
        assert (answer.status_code, UNKNOWN[0]["data"].encode() in answer.content) == (200, True)


def test_a_known_answer_asks_no_database(acme_line: Company, ask: Ask, django_assert_num_queries) -> None:
    dial(ask, NUMBER)
    with django_assert_num_queries(0):
        assert dial(ask, NUMBER) == PARKED


def test_without_a_database_the_switch_is_left_to_its_own_files(
    ask: Ask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(question: object) -> bytes:
        raise RuntimeError("gone")

    monkeypatch.setattr("telephony.switch.views.dialplans.answer", fails)

    assert is_not_found(ask("dialplan", Caller__Context="public", Caller__Destination__Number="+15550107777"))
    assert "gone" in caplog.text


def test_answers_are_forgotten_the_longest_unused_first() -> None:
    answers, made = Answers(most=2), []

    def ask_for(name: str) -> bytes:
        return answers.get(name, lambda: made.append(name) or name.encode())

    assert [ask_for(name) for name in "aabacab"] == [b"a", b"a", b"b", b"a", b"c", b"a", b"b"]
    assert made == ["a", "b", "c", "b"]
