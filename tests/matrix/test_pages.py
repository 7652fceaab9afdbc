"""Every page, as every caller: people see their own company's, strangers are sent to sign in, an outsider finds nothing."""

import pytest
from django.test import Client

from tests.matrix.test_routes import ELSEWHERE
from tests.matrix.world import MARK, World, build, snapshot

SIGN_IN = "/accounts/login/"
# page → the callers who may see it
PAGES = {
    "desk/": {"owner", "admin", "supervisor", "agent", "read_only"},
    "portal/": {"owner", "admin", "supervisor", "finance", "read_only"},
    "portal/usage/": {"owner", "admin", "supervisor", "finance", "read_only"},
    "portal/finance/": {"owner", "admin", "finance", "read_only"},
    "portal/finance/<str:key>/": {"owner", "admin", "finance", "read_only"},
    "portal/finance/credit-notes/": {"owner", "admin", "finance", "read_only"},
    "portal/finance/credit-notes/<str:key>/": {"owner", "admin", "finance", "read_only"},
    "portal/finance/credit/": {"owner", "admin", "finance", "read_only"},
    "portal/finance/subscription/": {"owner", "admin", "finance", "read_only"},
    "portal/finance/profile/": {"owner", "admin", "finance", "read_only"},
    "portal/finance/exports/": {"owner", "admin", "finance", "read_only"},
    "portal/finance/exports/<str:key>/": {"owner", "admin", "finance", "read_only"},
    "portal/widgets/": {"owner", "admin"},
    "portal/widgets/<str:key>/": {"owner", "admin"},
    "portal/widgets/<str:key>/secret": {"owner", "admin"},
    "portal/company/": {"owner", "admin", "supervisor", "read_only"},
    "portal/company/keys/": {"owner", "admin"},
    "portal/company/webhooks/": {"owner", "admin"},
    "portal/company/webhooks/<str:key>/": {"owner", "admin"},
    "portal/company/webhooks/<str:key>/<str:delivery>/": {"owner", "admin"},
    "portal/company/log/": {"owner", "admin"},
    "portal/company/settings/": {"owner", "admin"},
}
PEOPLE = ("owner", "admin", "supervisor", "agent", "finance", "read_only")
PUBLIC_PAGES = {
    "", "widget.js", "chat/panel/<str:widget_key>", "accounts/login/", "accounts/signup/", "accounts/password/",
    "v1/schema", "v1/docs",
}  # fmt: skip
# Held elsewhere: files by test_files, the company's buttons by test_company_pages,
# probes by test_health, the demo's inbox by test_inbox, the page behind a mail's link by test_unread, signing
# out, signing up, links out of mails, one's own security, drafting, exporting and choosing a plan by their own tests.
OTHERS = {
    "accounts/login/code/", "accounts/verify/<str:token>/", "accounts/password/<str:token>/",
    "accounts/address/<str:token>/", "accounts/security/", "accounts/security/password", "accounts/security/address",
    "accounts/security/second-factor/", "accounts/security/second-factor/off", "accounts/security/recovery-codes",
    "accounts/security/sessions/end",
    "health", "livez", "readyz", "metrics", "accounts/logout/", "inbox/", "inbox/<str:key>/", "inbox/<str:key>/body",
    "portal/finance/draft", "portal/finance/subscription/change", "portal/finance/subscription/cancel",
    "portal/company/members/<str:key>", "portal/company/invitations/<str:key>", "portal/company/keys/<str:key>",
    "portal/company/webhooks/<str:key>/<str:delivery>/resend", "portal/company/settings/export",
    "portal/finance/exports/start", "files/<str:token>", "chat/resume/<str:token>",
    "impersonation/end", "impersonation/<uuid:key>/",  # tests/accounts/operators/test_impersonating.py
    "invitations/<str:token>/",  # tests/accounts/members/test_invitations.py
    "freeswitch/cdr", "freeswitch/dialplan", "freeswitch/directory",  # the switch alone: tests/telephony/switch
}  # fmt: skip


def test_every_page_has_an_entry() -> None:
    assert set(PAGES) | PUBLIC_PAGES | OTHERS == ELSEWHERE


@pytest.fixture
def world(db: None) -> World:
    return build()


def address(world: World, page: str) -> str:
    kinds = {"credit-notes": "credit_note", "exports": "export", "webhooks": "webhook", "widgets": "widget_key"}
    kind = next((name for part, name in kinds.items() if part in page), "invoice")
    filled = page.replace("<str:key>", world.objects[kind]).replace("<str:delivery>", world.objects["delivery"])
    return "/" + filled.replace("<str:widget_key>", world.objects["widget_key"])


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_for_those_who_may_and_shows_others_nothing(world: World, page: str) -> None:
    strange = Client().get(address(world, page))
    assert (strange.status_code, strange["Location"].split("?")[0]) == (302, SIGN_IN)
    answers = {name: world.callers[name]().get(address(world, page)).status_code for name in PEOPLE}
    # An agent, who has nothing to see in the portal, is led to the desk.
    elsewhere = 302 if page == "portal/" else 403
    assert answers == {name: 200 if name in PAGES[page] else elsewhere for name in PEOPLE}
    before = snapshot(world.acme.tenant)
    for caller in ("outsider owner", "suspended person", "suspended tenant"):
        answer = world.callers[caller]().get(address(world, page))
        expected = 403 if caller.startswith("suspended") else 404 if "<" in page else 200
        assert answer.status_code == expected, caller
        assert MARK.encode() not in answer.content
        assert world.acme.tenant.pk.hex.encode() not in answer.content
    assert snapshot(world.acme.tenant) == before


def test_public_pages_open_for_anybody(world: World) -> None:
    for page in sorted(PUBLIC_PAGES - {""}):
        answer = Client().get(address(world, page))
        assert answer.status_code == 200, page
        assert MARK.encode() not in b"".join(answer) if answer.streaming else MARK.encode() not in answer.content


def test_a_panel_may_be_framed_by_its_widgets_domains_only(world: World) -> None:
    answer = Client().get(address(world, "chat/panel/<str:widget_key>"))
    assert "frame-ancestors *" in answer["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer
    assert "frame-ancestors 'none'" in Client().get(SIGN_IN)["Content-Security-Policy"]
