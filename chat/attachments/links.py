"""Links to files: signed, for one participant, ten minutes at most. They say who may ask; opening asks again whether he may."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from django.core import signing

from accounts.principals import Kind, Principal
from common.errors import NotFound

LIFE_SECONDS = 600
# Links made in the same five minutes are the same, so that a browser that has the picture does not load it again.
STEP_SECONDS = 300


@dataclass(frozen=True)
class Link:
    """What a link says: whose file, for whom, as which of his sign-ins."""

    tenant_id: UUID
    attachment_id: UUID
    kind: Kind
    holder_id: UUID
    auth_version: int
    expires_at: datetime


def file_url(*, attachment_id: UUID, principal: Principal, now: datetime) -> tuple[str, datetime]:
    """Return (address of the file for this reader, when it ends): five to ten minutes from `now`."""
    expires = int(now.timestamp()) // STEP_SECONDS * STEP_SECONDS + LIFE_SECONDS
    claim = [
        principal.tenant_id.hex, attachment_id.hex, principal.kind.value, principal.id.hex, principal.auth_version, expires,
    ]  # fmt: skip
    token = signing.Signer(salt="file").sign_object(claim)
    return f"{settings.IRISX_BASE_URL}/files/{token}", datetime.fromtimestamp(expires, UTC)


def read_link(token: str, *, now: datetime) -> Link:
    """Return what a link says; raise NotFound when it is forged or has ended."""
    try:
        tenant, attachment, kind, holder, version, expires = signing.Signer(salt="file").unsign_object(token)
        link = Link(
            UUID(hex=tenant), UUID(hex=attachment), Kind(kind), UUID(hex=holder), int(version),
            datetime.fromtimestamp(expires, UTC),
        )  # fmt: skip
    except (signing.BadSignature, ValueError, TypeError, UnicodeError) as error:
        raise NotFound("This link is not ours.") from error
    if link.expires_at <= now:
        raise NotFound("This link has ended; ask for the file again.", code="link-ended")
    return link
