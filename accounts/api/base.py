"""The one base of every tenant's endpoint."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from typing import Any, ClassVar, cast
from urllib.parse import quote

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import ViewSet

from accounts.api import cors, quotas
from accounts.principals import Principal
from accounts.tenancy import tenant_scope
from common import idempotency
from common.errors import Forbidden, Invalid
from common.ratelimit import Spent


class TenantViewSet(ViewSet):
    """Authenticate, hold to the permission table, then run the action inside the tenant's scope.

    `permissions` maps an action to the permission it needs, or to several of which one is enough.
    The whole request is one transaction (ATOMIC_REQUESTS), whose first act after sign-in sets the tenant.
    """

    permissions: ClassVar[Mapping[str, str | tuple[str, ...]]] = {}
    now: datetime
    _scope: ExitStack
    _spent = Spent()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as self._scope:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.now = timezone.now()
        super().initial(request, *args, **kwargs)
        if isinstance(request.user, Principal):
            if not getattr(request, "is_in_scope", False):  # signing in by a key has entered it already
                self._scope.enter_context(tenant_scope(request.user.tenant_id))
            if request.auth is not None:
                cors.require_origin(request._request, request.user)

    def perform_authentication(self, request: Request) -> None:
        """Find out who asks; a program's request counts from here on, whatever becomes of it."""
        super().perform_authentication(request)
        if isinstance(request.user, Principal) and request.auth is not None:
            self._spent = quotas.spend(request.user, now=self.now)
            if self._spent.wait_seconds:
                raise quotas.refusal(self._spent)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say how the caller's quotas stand."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        quotas.add_headers(answer, self._spent)
        return answer

    @property
    def principal(self) -> Principal:
        """Return who is asking."""
        if not isinstance(self.request.user, Principal):
            raise Forbidden("This needs a signed-in caller.")
        return self.request.user

    def read(self, serializer: type[Serializer[Any]]) -> dict[str, Any]:
        """Return the body as the serializer validates it; raise Invalid with pointers."""
        if not isinstance(self.request.data, Mapping):
            raise Invalid("The body must be a JSON object.", pointer="/")
        bound = serializer(data=dict(self.request.data))
        bound.is_valid(raise_exception=True)
        return cast(dict[str, Any], bound.validated_data)

    def once(self, run: Callable[[], Response], *, body: Any = None) -> Response:
        """Run an action that creates, under the request's Idempotency-Key when it carries one.

        `body` is what the request says, where that is no JSON: a digest of its file.

        A key is its sender's own: nobody is answered what another visitor, person or API key was answered.
        """
        key = self.request.headers.get("Idempotency-Key")
        if key is None:
            return run()
        answer = idempotency.once(
            owner=self.principal.tenant_id,
            path=f"{self.principal.id.hex}{quote(self.request.path)}",
            key=key,
            request_body=self.request.data if body is None else body,
            run=lambda: _answer(run()),
            now=self.now,
        )
        response = Response(answer.body, status=answer.status)
        if answer.is_replay:
            response["Idempotency-Replayed"] = "true"
        return response


def _answer(response: Response) -> idempotency.Answer:
    return idempotency.Answer(response.status_code, response.data)
