"""The demo company: made once, and left as people changed it."""

from typing import Any

from accounts.models import Tenant
from accounts.tenancy import system_access
from chat.models import CannedReply, Label, Widget
from irisx.management.commands.seed_demo import seed


def test_the_demos_desk_has_labels_and_replies_and_keeps_what_people_changed(db: None) -> None:
    first = seed({})
    shown = catalogue()
    assert shown["labels"] == ["billing", "bug", "order", "repair", "vip"]
    assert len(shown["replies"]) == 5
    assert any("{{visitor.name}}" in text for text in shown["replies"])
    with system_access("test"):
        Label.unscoped.filter(name="bug").delete()
        Widget.unscoped.update(answer_seconds=7)
    again = seed(first)
    assert again["widget_key"] == first["widget_key"]
    assert catalogue()["labels"] == ["billing", "order", "repair", "vip"]
    assert catalogue()["answer_seconds"] == 7


def catalogue() -> dict[str, Any]:
    with system_access("test"):
        tenant = Tenant.objects.get(slug="acme")
        return {
            "labels": sorted(Label.unscoped.filter(tenant=tenant).values_list("name", flat=True)),
            "replies": list(CannedReply.unscoped.filter(tenant=tenant).values_list("text", flat=True)),
            "answer_seconds": Widget.unscoped.get(tenant=tenant).answer_seconds,
        }
