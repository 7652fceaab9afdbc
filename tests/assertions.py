"""Reading the truth in tests: every tenant's rows."""

from typing import TypeVar

from django.db import models

from accounts.tenancy import system_access

M = TypeVar("M", bound=models.Model)


def rows(model: type[M], **filters: object) -> list[M]:
    """Return a model's rows whichever tenant's, oldest first."""
    with system_access("test"):
        return list(model._default_manager.filter(**filters).order_by("pk"))


def count(model: type[models.Model], **filters: object) -> int:
    """Return how many rows a model has, whichever tenant's."""
    with system_access("test"):
        return model._default_manager.filter(**filters).count()
