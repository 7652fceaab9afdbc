"""What people say of themselves: their name, and the language they are written to in."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from accounts.audit import actor_of, changed, record
from accounts.models import User
from accounts.principals import Principal
from common.ids import encode

LANGUAGES: Final = ("en", "de")
FIELDS = ("name", "language")


def change(*, user_id: UUID, changes: Mapping[str, Any], by: Principal) -> User:
    """Change somebody's name or language; the log of the company they are in says so. A repeat changes nothing."""
    user = User.objects.select_for_update().get(pk=user_id)
    before = {name: getattr(user, name) for name in FIELDS}
    for name, value in changes.items():
        setattr(user, name, value)
    differing = changed(before, {name: getattr(user, name) for name in FIELDS})
    if differing:
        user.save(update_fields=sorted(differing))
        about = encode("us", user_id)
        record(tenant_id=by.tenant_id, action="user.changed", by=actor_of(by), object_id=about, changes=differing)
    return user
