"""Sign-in by e-mail address, capitals ignored."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.models import User


class EmailBackend(ModelBackend):
    """Django's own backend, handed the address in lower case."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        email = str(username or kwargs.get("email") or "").strip().lower()
        user = super().authenticate(request, username=email, password=password)
        return user if isinstance(user, User) else None
