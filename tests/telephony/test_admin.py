"""What operators see of calls."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.tenancy import tenant_scope
from telephony import services
from telephony.services import CallWish
from tests.factories import NOW, PASSWORD, Company

PAGES = ["phonenumber", "siptrunk", "call", "donotcall", "dialingpolicy"]


@pytest.fixture
def operator(db: None, signed_in: Callable[[Any], Client]) -> Client:
    """Sign an operator in."""
    return signed_in(User.objects.create_superuser("operator@example.com", PASSWORD, name="Olga"))


@pytest.mark.parametrize("page", PAGES)
def test_lists_are_shown(acme_line: Company, operator: Client, page: str):
    place(acme_line)

    assert operator.get(f"/admin/telephony/{page}/").status_code == 200


def test_a_calls_page_shows_its_timeline_and_cannot_change_it(acme_line: Company, operator: Client):
    call_id = place(acme_line)
    address = f"/admin/telephony/call/{call_id}/change/"

    page = operator.get(address)

    assert page.status_code == 200
    shown = page.content.decode()
    assert "<td>1</td>" in shown
    assert "<b>queued</b>" in shown
    assert operator.post(address, {"status": "completed"}).status_code == 403
    assert operator.post(f"/admin/telephony/call/{call_id}/delete/", {"post": "yes"}).status_code == 403


def place(company: Company) -> str:
    wish = CallWish(to="+15550100203", from_="+15550109999")
    with tenant_scope(company.tenant.pk):
        return str(services.place_call(tenant_id=company.tenant.pk, wish=wish, now=NOW).pk)
