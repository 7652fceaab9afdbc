"""The operators' admin: every page opens, shows every company, and is closed to everybody else."""

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tenancy import system_access
from billing.models import SellerLogo
from chat.models import Conversation
from common.admin import LedgerAdmin
from telephony.models import Call
from tests.matrix.world import MARK, World, build
from usage.models import CreditEntry, Entitlement

LISTS = sorted((model for model in admin.site._registry), key=lambda m: m._meta.label)


@pytest.fixture
def world(db: None) -> World:
    return build()


@pytest.fixture
def operator(world: World) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("olivia@example.com", "correct horse battery", name="Olivia"))
    return client


def page_of(model: type[Model], kind: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}", args=args)


def test_every_list_and_every_row_opens(operator: Client) -> None:
    assert operator.get("/admin/").status_code == 200
    for model in LISTS:
        assert operator.get(page_of(model, "changelist")).status_code == 200, model
        with system_access("test"):
            row = model._default_manager.first()
        if row is not None:
            assert operator.get(page_of(model, "change", row.pk)).status_code == 200, model


def test_a_list_shows_every_companys_rows(world: World, operator: Client) -> None:
    for model in (Conversation, Call):
        assert b"Acme" in operator.get(page_of(model, "changelist")).content


def test_a_conversation_shows_its_log(world: World, operator: Client) -> None:
    with system_access("test"):
        conversation = Conversation.unscoped.get(pk=world.objects["conversation"][3:])
    page = operator.get(page_of(Conversation, "change", conversation.pk)).content.decode()
    assert f"<b>{MARK}</b> {MARK}" in page


# What operators add to these changes nothing that stands there.
ADDED_BY_A_FORM = {CreditEntry, Entitlement, SellerLogo}


def test_a_ledger_cannot_be_changed(operator: Client) -> None:
    ledgers = [model for model in LISTS if isinstance(admin.site._registry[model], LedgerAdmin)]
    assert len(ledgers) > 5
    for model in ledgers:
        assert operator.get(page_of(model, "add")).status_code == (200 if model in ADDED_BY_A_FORM else 403), model
        with system_access("test"):
            row = model._default_manager.first()
        if row is not None:
            assert operator.post(page_of(model, "change", row.pk), {}).status_code == 403, model
            assert operator.post(page_of(model, "delete", row.pk), {"post": "yes"}).status_code == 403, model


def test_is_closed_to_everybody_else(world: World) -> None:
    for caller in ("owner", "finance", "key", "anonymous"):
        for model in LISTS:
            answer = world.callers[caller]().get(page_of(model, "changelist"))
            assert answer.status_code == 302, (caller, model)
            assert answer["Location"].startswith("/admin/login/")
