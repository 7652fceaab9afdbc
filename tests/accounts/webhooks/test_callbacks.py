"""Status callbacks: each event of a call goes to the address the call named, signed, in order, whatever endpoints listen to."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import WebhookDelivery, WebhookEndpoint
from accounts.tenancy import tenant_scope
from accounts.webhooks import endpoints, replaying
from accounts.webhooks.callbacks import MOST_SERVERS, check_callback, make_ready
from accounts.webhooks.services import WebhookEvent, enqueue, server_of
from common.errors import Conflict, Invalid
from telephony.services import create_phone_number, create_trunk
from tests.accounts.webhooks.helpers import Receiver, endpoint, verify, work
from tests.assertions import rows
from tests.conftest import ApiClient
from tests.factories import Company

NOW = timezone.now()
LATER = NOW + timedelta(hours=1)  # later than any clock that wrote an event
URL = "https://calls.example.com/status?call=7"


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


def happen(company: Company, type: str = "call.ringing", url: str = URL) -> None:
    with tenant_scope(company.tenant.pk):
        if url:
            make_ready(tenant_id=company.tenant.pk, url=url)
        enqueue(WebhookEvent(type, company.tenant.pk, "CA1", {"status": "ringing"}, NOW), callback_url=url)


def callback_endpoint(company: Company) -> WebhookEndpoint:
    [found] = [row for row in rows(WebhookEndpoint) if row.kind == "callbacks" and row.tenant_id == company.tenant.pk]
    return found


def test_go_to_the_address_itself_signed_with_their_server_s_secret(acme: Company, receiver: Receiver) -> None:
    happen(acme)
    with tenant_scope(acme.tenant.pk):
        rotated, secret = endpoints.rotate_secret(
            tenant_id=acme.tenant.pk, endpoint_id=callback_endpoint(acme).pk, now=timezone.now()
        )
    now = timezone.now()
    work(receiver, now=now)
    verify(receiver.got[0], secret)
    [got] = receiver.got
    assert got.url == URL
    assert got.body["type"] == "call.ringing"
    assert rotated.url == "https://calls.example.com"


def test_other_endpoints_hear_it_at_their_own_address(acme: Company, receiver: Receiver) -> None:
    endpoint(acme)
    happen(acme)
    happen(acme, "call.answered", url="")
    work(receiver, now=LATER)
    ours = "https://hooks.example.com/in"
    assert sorted(got.url for got in receiver.got) == [URL, ours, ours]
    assert [got.body["type"] for got in receiver.got if got.url == URL] == ["call.ringing"]


def test_come_in_order_and_a_failing_one_is_tried_again(acme: Company, receiver: Receiver) -> None:
    receiver.answers = lambda got: 500 if len(receiver.got) == 1 else 200
    happen(acme)
    happen(acme, "call.answered")
    work(receiver, now=LATER)
    assert [got.body["type"] for got in receiver.got] == ["call.ringing"]
    work(receiver, now=LATER + timedelta(seconds=10))
    assert [got.body["type"] for got in receiver.got] == ["call.ringing", "call.ringing", "call.answered"]


def test_one_address_that_is_gone_does_not_silence_its_server(acme: Company, receiver: Receiver) -> None:
    receiver.status = 410
    happen(acme)
    work(receiver, now=LATER)
    assert callback_endpoint(acme).is_active
    assert [delivery.status for delivery in rows(WebhookDelivery)] == ["pending"]


def test_make_one_endpoint_a_server_however_many_calls(acme: Company) -> None:
    for number in range(3):
        happen(acme, url=f"https://Calls.example.com/status?call={number}")
    assert callback_endpoint(acme).url == "https://calls.example.com"


def test_no_other_tenant_hears_them(acme: Company, globex: Company, receiver: Receiver) -> None:
    happen(globex, url="")
    happen(acme)
    work(receiver, now=LATER)
    assert [delivery.tenant_id for delivery in rows(WebhookDelivery)] == [acme.tenant.pk]


def test_a_replay_sends_callbacks_alone(acme: Company, receiver: Receiver) -> None:
    happen(acme)
    happen(acme, "call.answered", url="")
    work(receiver, now=LATER)
    with tenant_scope(acme.tenant.pk):
        count, _ = replaying.replay(
            tenant_id=acme.tenant.pk,
            endpoint_id=callback_endpoint(acme).pk,
            since=NOW - timedelta(days=1),
            until=NOW + timedelta(days=1),
            now=NOW,
        )
    assert count == 1


def test_their_endpoint_says_what_it_is_and_is_led_nowhere_else(acme: Company) -> None:
    happen(acme)
    api = ApiClient(acme.api_key)
    path = f"/v1/webhooks/wh_{callback_endpoint(acme).pk.hex}"
    assert api.get(path).json()["kind"] == "callbacks"
    refused = api.patch(path, {"url": "https://else.example.com/"}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "callbacks")
    assert api.patch(path, {"is_enabled": False}, content_type="application/json").json()["is_enabled"] is False


@pytest.mark.parametrize(
    "url", ["http://calls.example.com/", "https://10.0.0.1/", "https://127.0.0.1/", "calls.example.com"]
)
def test_an_address_that_is_never_called_is_refused(acme: Company, url: str) -> None:
    with tenant_scope(acme.tenant.pk), pytest.raises(Invalid) as refused:
        check_callback(tenant_id=acme.tenant.pk, url=url, pointer="/status_callback")
    assert refused.value.errors[0].pointer == "/status_callback"


def test_servers_are_counted(acme: Company) -> None:
    with tenant_scope(acme.tenant.pk):
        for number in range(MOST_SERVERS):
            make_ready(tenant_id=acme.tenant.pk, url=f"https://s{number}.example.com/")
        check_callback(tenant_id=acme.tenant.pk, url="https://s1.example.com/other", pointer="/status_callback")
        with pytest.raises(Conflict):
            check_callback(tenant_id=acme.tenant.pk, url="https://more.example.com/", pointer="/status_callback")


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("https://A.example.com:8443/x?y#z", "https://a.example.com:8443"),
        ("https://a.example.com", "https://a.example.com"),
    ],
)
def test_a_server_is_scheme_host_and_port(url: str, server: str) -> None:
    assert server_of(url) == server


def test_a_call_tells_its_address_each_status(acme: Company, receiver: Receiver, calls: Callable[..., Any]) -> None:
    calls(acme, status_callback=URL)
    work(receiver, now=LATER)
    assert [(got.url, got.body["type"]) for got in receiver.got][:1] == [(URL, "call.canceled")]
    assert receiver.got[0].body["data"]["status_callback"] == URL


@pytest.fixture
def calls(db: None) -> Callable[..., Any]:
    """Return what places a call through the API and takes it back before it is dialled."""

    def place(company: Company, **more: Any) -> Any:
        with tenant_scope(company.tenant.pk):
            create_phone_number(tenant_id=company.tenant.pk, number="+15550109999", label="")
            create_trunk(tenant_id=company.tenant.pk, name="Carrier", gateway="carrier")
        api = ApiClient(company.api_key)
        placed = api.post("/v1/calls", {"to": "+14155550123", "from": "+15550109999", **more})
        assert placed.status_code == 202, placed.content
        return api.post(f"/v1/calls/{placed.json()['sid']}/hangup")

    return place


def test_a_call_with_an_address_that_is_never_called_is_not_placed(acme: Company, calls: Callable[..., Any]) -> None:
    with pytest.raises(AssertionError, match="address-not-public"):
        calls(acme, status_callback="https://192.168.1.1/")
