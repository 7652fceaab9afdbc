"""Models read by written statements: which columns, in which order, and back to an instance.

Django builds the text of a query anew each time it is asked. What every message asks is written once instead.
"""

import json
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from django.db.models import Field, JSONField, Model

M = TypeVar("M", bound=Model)


class Columns(Generic[M]):
    """Some of a model's columns, or all of them; the others are deferred, as by `only`."""

    def __init__(self, model: type[M], *names: str) -> None:
        fields: list[Field[Any, Any]] = list(model._meta.concrete_fields)
        chosen = [field for field in fields if not names or field.attname in names]
        if names and len(chosen) != len(names):
            raise ValueError(f"{model.__name__} has no {set(names) - {field.attname for field in chosen}}.")
        self._model = model
        self.names = tuple(field.attname for field in chosen)
        self._in_json = {place: field for place, field in enumerate(chosen) if isinstance(field, JSONField)}

    def sql(self, alias: str) -> str:
        """Return them for a SELECT."""
        return ", ".join(f"{alias}.{name}" for name in self.names)

    def take(self, values: Iterator[Any]) -> M | None:
        """Return the instance of the next values of a row; None where an outer join found none."""
        own = [next(values) for _ in self.names]
        if own[0] is None:
            return None
        for place, field in self._in_json.items():
            own[place] = None if own[place] is None else json.loads(own[place], cls=field.decoder)
        return self._model.from_db("default", self.names, own)
