"""Choices and checks made of the pure enumerations, so that the database and the code can't disagree."""

from enum import StrEnum

from django.db.models import CheckConstraint, Q

E164 = r"^\+[1-9][0-9]{6,14}$"


def choices_of(kind: type[StrEnum]) -> list[tuple[str, str]]:
    """Return Django's choices of an enumeration; an empty value needs no choice."""
    return [(item.value, item.value.replace("_", " ").capitalize()) for item in kind if item.value]


def one_of(field: str, kind: type[StrEnum], *, name: str) -> CheckConstraint:
    """Let the column hold the enumeration's values and nothing else."""
    values = [item.value for item in kind]
    message = f"{field} must be one of {', '.join(value for value in values if value)}."
    return CheckConstraint(condition=Q(**{f"{field}__in": values}), name=name, violation_error_message=message)


def e164(field: str, *, name: str, unless: Q | None = None) -> CheckConstraint:
    """Let the column hold a number in E.164 with its plus; where `unless` holds, anything."""
    message = "Numbers are written in E.164: a plus, then 7 to 15 digits."
    condition = Q(**{f"{field}__regex": E164})
    condition = condition if unless is None else condition | unless
    return CheckConstraint(condition=condition, name=name, violation_error_message=message)
