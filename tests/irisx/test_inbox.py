"""The demo's inbox: what would have been mailed, shown to whoever runs the demo."""

from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django.fixtures import Settings

from common.errors import NotFound
from irisx.portal import mailbox

BACKEND = "irisx.portal.mailbox.MailboxBackend"


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.IRISX_DEMO = True
    settings.IRISX_MAIL_DIR = tmp_path / "mail"
    return tmp_path / "mail"


def send(folder: Path, subject: str, *, html: str = "<p>Grüße</p>") -> str:
    message = EmailMultiAlternatives(subject, "Grüße", "irisx@irisx.example", ["alice@acme.example"])
    message.attach_alternative(html, "text/html")
    assert mailbox.MailboxBackend().send_messages([message]) == 1
    return mailbox.mails(folder)[0].key


def test_stores_a_mail_whole_and_reads_it_back(folder: Path) -> None:
    send(folder, "Willkommen, Jürgen")
    (mail,) = mailbox.mails(folder)
    assert (mail.subject, mail.sender) == ("Willkommen, Jürgen", "irisx@irisx.example")
    assert (mail.recipients, mail.text, mail.html) == ("alice@acme.example", "Grüße", "<p>Grüße</p>")
    assert [path.suffix for path in folder.iterdir()] == [".eml"]


def test_the_newest_comes_first(folder: Path) -> None:
    send(folder, "first")
    send(folder, "second")
    assert [mail.subject for mail in mailbox.mails(folder)] == ["second", "first"]


@pytest.mark.parametrize("key", ["../secrets", "..%2fsecrets", "/etc/passwd", "", "*"])
def test_a_key_leads_nowhere_else(folder: Path, key: str) -> None:
    send(folder, "only")
    (folder.parent / "secrets.eml").write_text("Subject: no\n\nno")
    with pytest.raises(NotFound):
        mailbox.mail(folder, key)


def test_an_empty_mailbox_says_so(folder: Path, client: Client, db: None) -> None:
    assert "No mail yet" in client.get("/inbox/").content.decode()


def test_shows_a_mail(folder: Path, client: Client, db: None) -> None:
    key = send(folder, "A <b>bold</b> subject")
    for address in ("/inbox/", f"/inbox/{key}/"):
        page = client.get(address).content.decode()
        assert "A &lt;b&gt;bold&lt;/b&gt; subject" in page
        assert 'sandbox="allow-popups"' in page


def test_a_mails_own_html_can_run_nothing(folder: Path, client: Client) -> None:
    key = send(folder, "evil", html="<script>alert(1)</script>")
    answer = client.get(f"/inbox/{key}/body")
    policy = answer["Content-Security-Policy"]
    assert answer.content == b"<script>alert(1)</script>"
    assert "script-src 'none'" in policy
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "frame-ancestors 'self'" in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("address", ["/inbox/", "/inbox/x/", "/inbox/x/body"])
def test_there_is_no_inbox_outside_a_demo(
    folder: Path, settings: Settings, client: Client, db: None, address: str
) -> None:
    settings.IRISX_DEMO = False
    assert client.get(address).status_code == 404
