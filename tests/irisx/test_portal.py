"""The tenant's pages beyond who may see them (tests/matrix): what they say and do."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from billing.models import Invoice
from irisx.portal import charts
from tests import factories
from tests.assertions import rows
from tests.chat.conftest import start_chat
from usage.sums import DaySum

SignIn = Callable[[object], Client]


@pytest.mark.parametrize(("person", "room"), [("owner", "/desk/"), ("agent", "/desk/"), ("finance", "/portal/")])
def test_home_leads_to_where_one_works(acme: factories.Company, signed_in: SignIn, person: str, room: str) -> None:
    assert signed_in(getattr(acme, person)).get("/")["Location"] == room


def test_an_operator_without_a_company_is_led_to_the_admin(db: None, signed_in: SignIn) -> None:
    operator = factories.make_user("Olivia")
    operator.is_staff = True
    operator.save()
    assert signed_in(operator).get("/portal/")["Location"] == "/admin/"


def test_a_stranger_comes_back_after_signing_in(client: Client, db: None) -> None:
    assert client.get("/portal/finance/?x=1")["Location"] == "/accounts/login/?next=/portal/finance/%3Fx%3D1"


def test_the_rail_shows_only_rooms_that_open(acme: factories.Company, signed_in: SignIn) -> None:
    agents = signed_in(acme.agent).get("/desk/").content.decode()
    finances = signed_in(acme.finance).get("/portal/").content.decode()
    assert ('href="/desk/"' in agents, 'href="/portal/finance/"' in agents) == (True, False)
    assert ('href="/desk/"' in finances, 'href="/portal/finance/"' in finances) == (False, True)
    assert 'href="/portal/" aria-current="page"' in finances


def test_usage_lists_what_was_used(acme: factories.Company, signed_in: SignIn) -> None:
    owner = signed_in(acme.owner)
    assert "Nothing used yet this period" in owner.get("/portal/usage/").content.decode()
    start_chat(acme)
    page = owner.get("/portal/usage/").content.decode()
    assert "1 conversation" in page
    assert 'data-channel="chat"' in page


def test_drafts_the_periods_invoice_and_shows_its_lines(acme: factories.Company, signed_in: SignIn) -> None:
    start_chat(acme)
    finance = signed_in(acme.finance)
    assert "No invoice yet" in finance.get("/portal/finance/").content.decode()
    answer = finance.post("/portal/finance/draft")
    (invoice,) = rows(Invoice, tenant=acme.tenant)
    assert answer["Location"] == f"/portal/finance/inv_{invoice.pk.hex}/"
    assert "Chat conversations" in finance.get(answer["Location"]).content.decode()
    assert f"/v1/billing/invoices/inv_{invoice.pk.hex}/pdf" in finance.get("/portal/finance/").content.decode()
    finance.post("/portal/finance/draft")
    assert [row.pk for row in rows(Invoice, tenant=acme.tenant)] == [invoice.pk]


def test_an_agent_drafts_nothing(acme: factories.Company, signed_in: SignIn) -> None:
    assert signed_in(acme.agent).post("/portal/finance/draft").status_code == 403
    assert rows(Invoice, tenant=acme.tenant) == []


def test_a_wrong_key_is_no_invoice(acme: factories.Company, signed_in: SignIn) -> None:
    for key in ("inv_nonsense", "cc_0f8fad5bd9cb469fa16570867728950e", "inv_0f8fad5bd9cb469fa16570867728950e"):
        assert signed_in(acme.owner).get(f"/portal/finance/{key}/").status_code == 404


def test_pages_carry_no_inline_script_or_style(acme: factories.Company, signed_in: SignIn) -> None:
    owner = signed_in(acme.owner)
    for address in ("/desk/", "/portal/", "/portal/usage/", "/portal/finance/", "/nowhere"):
        page = owner.get(address).content.decode()
        assert " style=" not in page, address
        assert "<style" not in page, address
        assert "<script>" not in page, address


def test_every_page_that_says_what_went_wrong_is_ours(client: Client, db: None) -> None:
    page = client.get("/nowhere")
    assert (page.status_code, "There is nothing here" in page.content.decode()) == (404, True)


def day_sum(day: int, channel: str, count: int) -> DaySum:
    zero = Decimal(0)
    return DaySum(date(2026, 3, day), channel, "x", zero, zero, zero, count)


def test_a_chart_stacks_channels_up_to_the_highest_day() -> None:
    sums = [day_sum(1, "chat", 3), day_sum(1, "voice", 1), day_sum(2, "chat", 2)]
    chart = charts.by_day(sums, first=date(2026, 3, 1), last=date(2026, 3, 3))
    assert (chart.most, chart.channels) == (4, ("chat", "voice"))
    assert [bar.total for bar in chart.bars] == [4, 2, 0]
    assert [(part.channel, part.y, part.height) for part in chart.bars[0].segments] == [
        ("chat", 40.0, 120.0),
        ("voice", 0.0, 40.0),
    ]
    assert chart.bars[2].segments == ()


def test_a_chart_of_a_month_names_a_few_days() -> None:
    chart = charts.by_day([], first=date(2026, 3, 1), last=date(2026, 3, 31))
    assert chart.most == 0
    assert [bar.day.day for bar in chart.bars if bar.is_named] == [1, 8, 15, 22, 29]
