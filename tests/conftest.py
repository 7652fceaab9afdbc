"""The cast: Alice owns Acme, Bob is her agent, Fiona does her finance; Mallory is at Globex."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as examples

from tests import factories


class ApiClient(Client):
    """Django's test client, speaking JSON, signed in by an API key or visitor token."""

    def __init__(self, token: str | None = None) -> None:
        super().__init__(headers={"Authorization": f"Bearer {token}"} if token else {}, raise_request_exception=False)

    def post(self, path: str, data: Any = None, **extra: Any) -> Any:  # type: ignore[override] # JSON by default
        return super().post(path, data or {}, content_type=extra.pop("content_type", "application/json"), **extra)


def pytest_configure(config: pytest.Config) -> None:
    """Hash passwords quickly, a second a person otherwise; look static files up when asked, a second a client otherwise."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.WHITENOISE_AUTOREFRESH = True
    # How long an example takes says something of the machine and its neighbours, nothing of the product.
    examples.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    examples.load_profile("shared machine")


@pytest.fixture
def now() -> datetime:
    return factories.NOW


@pytest.fixture
def acme(db: None) -> factories.Company:
    return factories.make_company("Acme", owner="Alice", agent="Bob", finance="Fiona")


@pytest.fixture
def globex(db: None) -> factories.Company:
    return factories.make_company("Globex", owner="Mallory", agent="Mark", finance="Max")


@pytest.fixture
def api() -> Callable[[str | None], ApiClient]:
    """Return a maker of clients: `api(acme.api_key).get("/v1/me")`."""
    return ApiClient


@pytest.fixture
def signed_in() -> Callable[[Any], Client]:
    """Return a maker of browser sessions: `signed_in(acme.agent).get("/desk/")`."""

    def make(user: Any) -> Client:
        client = Client(raise_request_exception=False)
        client.force_login(user)
        return client

    return make
