"""Files over HTTP: taken in as a form, answered with a link for whoever asks."""

from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from accounts.tenancy import tenant_scope
from chat import limits
from chat.actors import actor_of
from chat.attachments import selectors, services
from chat.attachments.links import file_url
from chat.attachments.services import Upload
from chat.models import Attachment
from common.clients import address_of
from common.errors import Invalid
from common.ids import decode, encode
from common.timestamps import rfc3339

VISIT, READ, REPLY = "chat.visit", "chat.read", "chat.reply"


class UploadForm(serializers.Serializer[Any]):
    conversation_id = serializers.CharField()
    file = serializers.FileField()


class AttachmentAnswer(serializers.Serializer[Any]):
    """A file as its reader may see it; `url` ends at `expires_at` and is this reader's alone."""

    id = serializers.CharField()
    file_name = serializers.CharField()
    size = serializers.IntegerField()
    content_type = serializers.CharField()
    is_image = serializers.BooleanField()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    url = serializers.CharField()
    expires_at = serializers.DateTimeField()


EXAMPLE = OpenApiExample(
    "A picture",
    {
        "id": "at_0198c1f0a7b37c0e8f4d2b6a1c3e5f70",
        "file_name": "bike.jpg",
        "size": 48213,
        "content_type": "image/jpeg",
        "is_image": True,
        "width": 1200,
        "height": 800,
        "url": "https://irisx.example/files/WyIwMTk4…",
        "expires_at": "2026-01-01T12:10:00.000000Z",
    },
    response_only=True,
)


class AttachmentsViewSet(TenantViewSet):
    """Uploads, and fresh links to files."""

    permissions = {"create": (VISIT, REPLY), "show": (VISIT, READ)}
    parser_classes = [MultiPartParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # An upload is outside the request's transaction (see `create`); until then it has this one.
        self._scope.enter_context(transaction.atomic())
        super().initial(request, *args, **kwargs)

    @extend_schema(
        summary="Upload a file",
        description="A form of `conversation_id` and `file`. The type is found in the content. Nobody else sees the file until "
        "a message carries it (`attachment_id`); one that none carries is removed after 24 hours. JPEG, PNG and WebP pictures "
        "are stored without what cameras write beside them (place, time, device), so `size` is what is stored. Larger than "
        "the widget allows: 413.",
        request={"multipart/form-data": UploadForm},
        responses={201: AttachmentAnswer},
        examples=[EXAMPLE],
        tags=["chat"],
    )
    def create(self, request: Request) -> Response:
        limits.note_upload(self.principal, address=address_of(request), now=self.now)
        upload, conversation_id = self._upload(request)
        # The row is committed before the bytes are written, and no transaction waits for the storage meanwhile.
        self._scope.close()
        try:
            attachment, stored = self._announced(upload, conversation_id)
            self._store(attachment, stored)
        except BaseException:
            # A refusal rolls back the transaction it finds open: this one, which holds nothing.
            self._scope.enter_context(transaction.atomic())
            raise
        return Response(self._present(attachment), status=201)

    def _announced(self, upload: Upload, conversation_id: UUID) -> tuple[Attachment, Upload]:
        with transaction.atomic(), tenant_scope(self.principal.tenant_id):
            return services.announce_upload(
                tenant_id=self.principal.tenant_id,
                conversation_id=conversation_id,
                actor=actor_of(self.principal),
                upload=upload,
                now=self.now,
            )

    def _store(self, attachment: Attachment, upload: Upload) -> None:
        try:
            services.store_upload(attachment, upload)
        except BaseException:
            with tenant_scope(self.principal.tenant_id):
                services.withdraw_upload(attachment)
            raise

    def _upload(self, request: Request) -> tuple[Upload, UUID]:
        file, conversation_id = request.data.get("file"), request.data.get("conversation_id")
        if not isinstance(conversation_id, str):
            raise Invalid("Say which conversation it is for.", code="required", pointer="/conversation_id")
        if not isinstance(file, UploadedFile):
            raise Invalid("Send one file in the field `file`.", code="required", pointer="/file")
        return Upload(file.name or "", file.size or 0, file), decode("cc", conversation_id)

    @extend_schema(
        summary="A fresh link to a file",
        responses={200: AttachmentAnswer},
        examples=[EXAMPLE],
        tags=["chat"],
    )
    def show(self, request: Request, id: str) -> Response:
        return Response(self._present(selectors.attachment_for(self.principal, decode("at", id))))

    def _present(self, attachment: Attachment) -> dict[str, Any]:
        return present_attachment(
            attachment, *file_url(attachment_id=attachment.pk, principal=self.principal, now=self.now)
        )


def present_attachment(attachment: Attachment, url: str, expires_at: Any) -> dict[str, Any]:
    """Return a file as the API shows it."""
    return {
        "id": encode("at", attachment.pk),
        "file_name": attachment.file_name,
        "size": attachment.size,
        "content_type": attachment.content_type,
        "is_image": attachment.is_image,
        "width": attachment.width,
        "height": attachment.height,
        "url": url,
        "expires_at": rfc3339(expires_at),
    }
