"""E-mails about money: what they say, to whom, once each, and what becomes of those that fail."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from smtplib import SMTPDataError, SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from pypdf import PdfReader

from accounts.models import Tenant, User
from accounts.tenancy import system_access, tenant_scope
from billing.models import BillingMail, CreditNote, Invoice
from billing.services import give_up_unclear, queue_reminders, send_again, send_next
from common.errors import NotFound
from tests.billing.helpers import APRIL, buy_from, finalized, sell_from, stored
from tests.billing.test_credit_notes import credit
from tests.billing.test_payments import pay
from tests.factories import PASSWORD, Company
from tests.usage.helpers import at


@pytest.fixture
def invoice(acme: Company) -> Invoice:
    sell_from("IE", iban="IE29AIBK93115212345678")
    buy_from(acme, "IE")
    return finalized(acme)


def send_all(now: Any = APRIL) -> list[EmailMultiAlternatives]:
    """Send what is due; return what was sent."""
    outbox.outbox.clear()
    while send_next(now=now):
        pass
    return list(outbox.outbox)  # type: ignore[arg-type] # every one has alternatives


def mails(company: Company) -> list[BillingMail]:
    with tenant_scope(company.tenant.pk):
        return list(BillingMail.objects.for_tenant(company.tenant).order_by("created_at", "id"))


class TestInvoice:
    def test_goes_to_the_billing_address_with_its_document(self, acme: Company, invoice: Invoice) -> None:
        (sent,) = send_all()
        assert (sent.to, sent.subject) == ([acme.tenant.billing_email], "Invoice INV-000001 from Northwind Ltd")
        assert "Please transfer USD 30.75 by 15 Apr 2026, with INV-000001 as reference." in sent.body.replace(
            "\xa0", " "
        )
        assert "IBAN: IE29AIBK93115212345678" in sent.body
        ((name, content, kind),) = sent.attachments
        assert (name, kind) == ("invoice-INV-000001.pdf", "application/pdf")
        assert "factur-x.xml" in PdfReader(_file(content)).attachments

    def test_notes_when_it_was_sent_and_never_again(self, acme: Company, invoice: Invoice) -> None:
        send_all()
        (row,) = mails(acme)
        assert (row.state, row.sent_at, row.recipient) == ("sent", APRIL, acme.tenant.billing_email)
        assert stored(invoice).sent_at == APRIL
        assert send_all(at(2026, 5, 1)) == []

    def test_speaks_the_buyer_s_language(self, acme: Company) -> None:
        sell_from("DE", tax_id="DE136695976")
        buy_from(acme, "DE", language="de")
        finalized(acme)
        (sent,) = send_all()
        assert sent.subject == "Rechnung INV-000001 von Northwind Ltd"
        assert "Bitte überweisen Sie USD 29,75 bis zum 15.04.2026 mit dem Verwendungszweck INV-000001." in sent.body

    def test_says_that_nothing_is_left(self, acme: Company, invoice: Invoice) -> None:
        pay(invoice, "30.75")
        (sent,) = send_all()
        assert "Nothing is left to pay." in sent.body
        assert "IBAN" not in sent.body


class TestCreditNote:
    def test_is_sent_too(self, acme: Company, invoice: Invoice) -> None:
        note = credit(invoice, [(1, "10")])
        _, sent = send_all(at(2026, 5, 1))
        assert sent.subject == "Credit note CN-000001 from Northwind Ltd"
        assert "It corrects invoice INV-000001: Outage. Nothing is to be paid." in sent.body
        assert sent.attachments[0][0] == "credit-note-CN-000001.pdf"
        with tenant_scope(acme.tenant.pk):
            assert CreditNote.objects.for_tenant(acme.tenant).get(pk=note.pk).sent_at == at(2026, 5, 1)


class TestReminder:
    @pytest.mark.parametrize(
        ("day", "subject"),
        [
            (at(2026, 4, 12), "Invoice INV-000001 is due on 15 Apr 2026"),
            (at(2026, 4, 22), "Reminder: invoice INV-000001 is overdue"),
            (at(2026, 4, 29), "2. reminder: invoice INV-000001 is overdue"),
        ],
    )
    def test_says_which_it_is_and_what_is_open(self, acme: Company, invoice: Invoice, day: Any, subject: str) -> None:
        send_all()
        pay(invoice, "10")
        queue_reminders(now=day, days=[-3, 7, 14])
        (sent,) = send_all(day)
        assert sent.subject.replace("\xa0", " ") == subject
        assert "USD 20.75" in sent.body
        assert sent.attachments[0][0] == "invoice-INV-000001.pdf"

    def test_is_not_sent_of_what_was_paid_meanwhile(self, acme: Company, invoice: Invoice) -> None:
        send_all()
        queue_reminders(now=at(2026, 4, 22), days=[7])
        pay(invoice, "30.75")
        assert send_all(at(2026, 4, 22)) == []
        assert [row.state for row in mails(acme)] == ["sent", "canceled"]


class TestTrouble:
    def test_what_the_server_refused_is_tried_again(
        self, acme: Company, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _fails_with(monkeypatch, SMTPDataError(451, b"Greylisted"))
        send_all()
        (row,) = mails(acme)
        assert (row.state, row.next_at, row.attempts) == ("waiting", APRIL + timedelta(minutes=5), 1)
        assert "Greylisted" in row.reason
        monkeypatch.undo()
        assert send_all(APRIL) == []
        assert len(send_all(APRIL + timedelta(minutes=5))) == 1

    def test_is_given_up_after_two_weeks(
        self, acme: Company, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _fails_with(monkeypatch, SMTPDataError(550, b"No such mailbox"))
        send_all(APRIL + timedelta(days=15))
        assert [(row.state, row.next_at) for row in mails(acme)] == [("failed", None)]

    def test_what_may_have_arrived_is_not_sent_again(
        self, acme: Company, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _fails_with(monkeypatch, SMTPServerDisconnected("Connection unexpectedly closed"))
        send_all()
        monkeypatch.undo()
        assert (mails(acme)[0].state, stored(invoice).sent_at) == ("unclear", None)
        assert send_all(at(2026, 5, 1)) == []

    def test_a_worker_that_dies_while_sending_leaves_it_unclear(
        self, acme: Company, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _fails_with(monkeypatch, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            send_next(now=APRIL)
        monkeypatch.undo()
        assert mails(acme)[0].state == "sending"
        assert send_all() == []
        assert give_up_unclear(now=APRIL + timedelta(minutes=10)) == 0
        assert give_up_unclear(now=APRIL + timedelta(minutes=16)) == 1
        assert (mails(acme)[0].state, send_all(at(2026, 5, 1))) == ("unclear", [])

    def test_waits_for_an_address(self, acme: Company, invoice: Invoice) -> None:
        _write_to(acme, "")
        assert send_all() == []
        assert mails(acme)[0].reason == "The tenant has no billing address."
        _write_to(acme, "bills@acme.example")
        (sent,) = send_all(APRIL + timedelta(minutes=5))
        assert sent.to == ["bills@acme.example"]


class TestAgain:
    def test_an_operator_sends_it_again(
        self, signed_in: Callable[[Any], Client], acme: Company, invoice: Invoice
    ) -> None:
        send_all()
        operator = signed_in(User.objects.create_superuser("olivia@example.com", PASSWORD, name="Olivia"))
        body = {"action": "send_again", "_selected_action": [str(invoice.pk)]}
        assert "1 to be sent again" in operator.post("/admin/billing/invoice/", body, follow=True).content.decode()
        assert len(send_all(at(2036, 1, 1))) == 1
        assert stored(invoice).sent_at == APRIL
        row = mails(acme)[0]
        body = {"action": "send_again", "_selected_action": [str(row.pk)]}
        assert operator.post("/admin/billing/billingmail/", body, follow=True).status_code == 200
        assert len(send_all(at(2036, 1, 1))) == 1

    def test_mallory_finds_none(self, acme: Company, globex: Company, invoice: Invoice) -> None:
        with pytest.raises(NotFound), tenant_scope(globex.tenant.pk):
            send_again(tenant_id=globex.tenant.pk, mail_id=mails(acme)[0].pk, now=APRIL)


def test_eight_workers_send_each_once(committed_db: None, acme: Company, globex: Company) -> None:
    sell_from("IE")
    for company in (acme, globex):
        buy_from(company, "IE")
        finalized(company)
    outbox.outbox.clear()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: _send_and_close(), range(8)))
    assert sorted(sent.subject.split()[1] for sent in outbox.outbox) == ["INV-000001", "INV-000002"]


def _send_and_close() -> None:
    try:
        while send_next(now=APRIL):
            pass
    finally:
        connection.close()


def _write_to(company: Company, address: str) -> None:
    with system_access("test"):
        Tenant.objects.filter(pk=company.tenant.pk).update(billing_email=address)


def _fails_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def send_messages(self: EmailBackend, messages: Any) -> int:
        raise error

    monkeypatch.setattr(EmailBackend, "send_messages", send_messages)


def _file(content: Any) -> Any:
    return BytesIO(content)
