"""From a call and a chat to the invoice's PDF and XML, over the real API: every step hands the next one exactly what it had."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import facturx
import pytest
from asgiref.sync import sync_to_async
from pypdf import PdfReader

from accounts.models import OutboxEvent
from accounts.tenancy import system_access, tenant_scope
from billing import tasks as billing_tasks
from billing.models import Reconciliation
from telephony import services as telephony
from telephony.simulator.switch import Switch
from tests.billing.helpers import sell_from
from tests.billing.validator import failures
from tests.chat.conftest import start_chat
from tests.conftest import ApiClient
from tests.factories import Company, make_company
from tests.telephony.listener.books import listening
from tests.telephony.switches import running
from usage import tasks as usage_tasks

D = Decimal
NUMBER = "+15550109999"
PATIENCE_SECONDS = 60


@pytest.fixture
def company(committed_db: None) -> Company:
    """A customer in whose zone it is about noon, so that all of this happens on one day; it can call."""
    sell_from("IE", tax_id="IE6388047V", postal_code="D02 X285", city="Dublin", email="billing@northwind.example")
    now = datetime.now(UTC)
    ahead = 12 - now.hour
    zone = f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"  # POSIX: east is minus
    company = make_company("Liffey", owner="Alice", agent="Bob", finance="Fiona", timezone=zone, now=now)
    with tenant_scope(company.tenant.pk):
        telephony.create_trunk(tenant_id=company.tenant.pk, name="Carrier", gateway="carrier")
        telephony.create_phone_number(tenant_id=company.tenant.pk, number=NUMBER)
    return company


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Return what sets the clock of the tasks."""

    def set_to(moment: datetime) -> None:
        for tasks in (usage_tasks, billing_tasks):
            monkeypatch.setattr(tasks.timezone, "now", lambda: moment)

    return set_to


async def test_a_call_and_a_chat_become_an_invoice(company: Company, clock: Callable[[datetime], None]) -> None:
    client = ApiClient(company.api_key)
    sid = await call_somebody(client)
    await sync_to_async(lambda: chat_and_text(company, client))()
    await sync_to_async(lambda: from_usage_to_paper(company, client, clock, sid))()


async def call_somebody(client: ApiClient) -> str:
    """Place a call that is answered and hung up by the far end; return its sid."""
    async with running(Switch(pace=0.1)) as address, listening(address):
        body = {"to": "+15550100203", "from": NUMBER}
        placed = await sync_to_async(lambda: client.post("/v1/calls", body))()
        assert placed.status_code == 202, placed.content
        sid = str(placed.json()["sid"])
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (call := await sync_to_async(lambda: client.get(f"/v1/calls/{sid}").json())())[
                "status"
            ] != "completed":
                await asyncio.sleep(0.05)
    assert (call["billed_seconds"], D(call["price"]), call["price_final"]) == (60, D("0.0150"), True)
    return sid


def chat_and_text(company: Company, client: ApiClient) -> None:
    """Write two chat messages, and tell of 9,500 SMS twice, as one whose answer was lost would."""
    chat = start_chat(company)
    for number, writer in enumerate((chat.visitor, chat.agent)):
        body = {"conversation_id": chat.conversation_id, "client_message_id": f"m{number}", "text": "Hello"}
        assert writer.post("/v1/chat/message/send", body).status_code == 201
    events = [
        {"idempotency_key": f"campaign-{part}", "channel": "sms", "resource_type": "message", "quantity": quantity}
        for part, quantity in (("a", "9000"), ("b", "500"))
    ]
    for created in (2, 0):
        answer = client.post("/v1/usage/events", {"events": events}).json()
        assert (answer["created"], len(answer["results"])) == (created, 2)


def from_usage_to_paper(company: Company, client: ApiClient, clock: Callable[[datetime], None], sid: str) -> None:
    current = client.get("/v1/usage/current-period").json()
    items = {(item["channel"], item["resource_type"]): item for item in current["items"]}
    quantities = {key: (item["quantity"], item["total_cost"]) for key, item in items.items()}
    assert quantities[("voice", "minute")] == ("1", "0.02")
    assert quantities[("sms", "message")] == ("9500", "71.25")
    assert quantities[("chat", "conversation")] == ("1", "0.00")
    assert quantities[("chat", "message")] == ("2", "0.00")
    assert current["total_cost"] == "71.27"
    (voice,) = client.get("/v1/usage/events?channel=voice").json()["results"]
    assert (voice["resource_id"], D(voice["total_cost"])) == (sid, D("0.015"))

    subscribe(client)
    assert bill(client, clock) == []
    (invoice,) = [one for one in client.get("/v1/billing/invoices").json()["results"] if one["invoice_number"]]
    whole = client.get(f"/v1/billing/invoices/{invoice['id']}").json()
    check_invoice(whole)
    check_documents(client, whole)
    with tenant_scope(company.tenant.pk):
        outbox = OutboxEvent.objects.for_tenant(company.tenant).filter(type="invoice.finalized")
        (event,) = (json.loads(body)["data"] for body in outbox.values_list("body", flat=True))
    assert (event["invoice_number"], event["total_amount"]) == (whole["invoice_number"], whole["total_amount"])


def subscribe(client: ApiClient) -> None:
    """Say who buys, and choose a plan: it begins tomorrow, and today is a period of its own."""
    profile = {"legal_name": "Liffey Foods Ltd", "address": "3 Quay Lane", "postal_code": "D01 F5P2", "city": "Dublin"}
    answer = client.put(
        "/v1/billing/profile",
        {**profile, "country": "IE", "tax_id": "IE8256796U", "language": "en"},
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.content
    answer = client.post("/v1/billing/subscription", {"plan": "professional", "when": "now"})
    assert answer.status_code == 200, answer.content


def bill(client: ApiClient, clock: Callable[[datetime], None]) -> list[Any]:
    """Let the tasks of the next two days close, check, draft, finalize and reconcile; return the findings."""
    now = datetime.now(UTC)
    for days in (1, 2, 3):
        clock(now + timedelta(days=days))
        usage_tasks.fold_deltas()
        usage_tasks.roll_periods()
        billing_tasks.run_invoices(helpers=0)
    billing_tasks.reconcile()
    with system_access("test"):
        return list(Reconciliation.objects.latest("id").findings)


def check_invoice(invoice: dict[str, Any]) -> None:
    lines = {(line["channel"], line["resource_type"]): line for line in invoice["lines"]}
    fee = next(line for line in invoice["lines"] if line["kind"] == "fee")
    assert lines[("voice", "minute")]["amount"] == "0.02"
    assert lines[("sms", "message")]["amount"] == "71.25"
    subtotal = sum(D(line["amount"]) for line in invoice["lines"])
    assert D(invoice["subtotal"]) == subtotal == D("71.27") + D(fee["amount"])
    assert D(invoice["allowance"]) == 50  # what the trial gave; it covers usage, not the fee
    tax = ((subtotal - 50) * D("0.23")).quantize(D("0.01"), rounding="ROUND_HALF_UP")
    assert (D(invoice["tax"]), D(invoice["total_amount"])) == (tax, subtotal - 50 + tax)
    assert (invoice["invoice_number"], invoice["status"]) == ("INV-000001", "pending")
    assert (invoice["seller"]["tax_id"], invoice["buyer"]["tax_id"]) == ("IE6388047V", "IE8256796U")


def check_documents(client: ApiClient, invoice: dict[str, Any]) -> None:
    """Compare paper and XML with the invoice, and with each other; EN 16931's own rules find nothing."""
    path = f"/v1/billing/invoices/{invoice['id']}"
    pdf, again, xml = (client.get(f"{path}/{kind}") for kind in ("pdf", "pdf", "xml"))
    assert (pdf.status_code, pdf.headers["Content-Type"]) == (200, "application/pdf")
    assert (xml.status_code, xml.headers["Content-Type"].split(";")[0]) == (200, "application/xml")
    paper, text_of_xml = content(pdf), content(xml)
    assert paper == content(again)
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(paper)).pages).split())
    total = D(invoice["total_amount"])
    for part in (
        "INV-000001", "Liffey Foods Ltd", "VAT ID IE8256796U", "Voice, outbound to +1", "1 call, billed 60/60 s",
        "9,500 messages", "71.25", f"Total USD {total:,.2f}",
    ):  # fmt: skip
        assert part in text, (part, text)
    name, embedded = facturx.get_xml_from_pdf(paper)
    assert (name, embedded) == ("factur-x.xml", text_of_xml)
    assert f"<ram:GrandTotalAmount>{total}</ram:GrandTotalAmount>".encode() in text_of_xml
    assert failures({"invoice": text_of_xml}) == {"invoice": []}


def content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)
