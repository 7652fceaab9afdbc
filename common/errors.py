"""What can go wrong, in words: every refusal of a service is one of these, mapped once to a problem (RFC 9457)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self


@dataclass(frozen=True)
class FieldProblem:
    """One wrong value: `pointer` is a JSON Pointer (RFC 6901) into the request, e.g. `/items/3/quantity`."""

    pointer: str
    code: str
    detail: str


class DomainError(Exception):
    """A refusal a caller can act on. `status` is its HTTP status (RFC 9110)."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "The request was refused"
    default_code: ClassVar[str] = "refused"
    retry_after_seconds: int | None = None

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        pointer: str = "",
        errors: Sequence[FieldProblem] = (),
        extra: dict[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.errors = tuple(errors) or ((FieldProblem(pointer, self.code, message),) if pointer else ())
        self.extra = extra or {}


class Unreadable(DomainError):
    status = 400
    title = "The request could not be read"
    default_code = "unreadable"


class NotAuthenticated(DomainError):
    status = 401
    title = "Sign-in needed"
    default_code = "not-authenticated"


class Forbidden(DomainError):
    status = 403
    title = "Not allowed"
    default_code = "forbidden"


class NotFound(DomainError):
    status = 404
    title = "Not found"
    default_code = "not-found"


class WrongState(DomainError):
    status = 409
    title = "Not possible in its present state"
    default_code = "wrong-state"


class Conflict(DomainError):
    status = 409
    title = "In conflict with what is stored"
    default_code = "conflict"


class Invalid(DomainError):
    status = 422
    title = "Some values are not valid"
    default_code = "invalid"

    @classmethod
    def many(cls, errors: Sequence[FieldProblem]) -> Self:
        """Return one error that carries them all."""
        return cls(errors[0].detail if len(errors) == 1 else f"{len(errors)} values are not valid.", errors=errors)


class TooMany(DomainError):
    status = 429
    title = "Too many requests"
    default_code = "too-many"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message, extra={"retry_after_seconds": retry_after_seconds})
        self.retry_after_seconds = retry_after_seconds


class Unavailable(DomainError):
    status = 503
    title = "Not available just now"
    default_code = "unavailable"
