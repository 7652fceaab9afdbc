"""The questions a widget asks before the first message, and what answers they take. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from common.errors import FieldProblem, Invalid

LONGEST: Final = {"textarea": 2000}
LONGEST_LINE: Final = 200
PHONE: Final = re.compile(r"[+0-9][0-9 ()./-]{3,30}")

Answer = str | bool


def check_answers(fields: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Answer]:
    """Return the answers to a widget's questions, by key, what was not asked left out.

    Raises Invalid with a pointer (`/pre_chat/<key>`) to each that is missing though required, or not what the field takes.
    """
    problems: list[FieldProblem] = []
    answers: dict[str, Answer] = {}
    for field in fields:
        key, answer = str(field["key"]), _cleaned(given.get(field["key"]))
        if answer in ("", False):
            if field.get("required"):
                problems.append(FieldProblem(f"/pre_chat/{key}", "required", f"{field.get('label') or key} is needed."))
        elif wrong := _problem(field, answer):
            problems.append(FieldProblem(f"/pre_chat/{key}", "invalid", wrong))
        else:
            answers[key] = answer
    if problems:
        raise Invalid.many(problems)
    return answers


def _cleaned(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else "" if value is None else value


def _problem(field: Mapping[str, Any], answer: Any) -> str:
    kind = field.get("type", "text")
    if kind == "checkbox":
        return "" if answer is True else "This is true or false."
    most = LONGEST.get(kind, LONGEST_LINE)
    if not isinstance(answer, str) or len(answer) > most or "\x00" in answer:
        return f"This is a text of at most {most} characters."
    match kind:
        case "email":
            return _email_problem(answer)
        case "phone":
            return "" if PHONE.fullmatch(answer) else "This is a telephone number."
        case "select":
            return "" if answer in field.get("options", ()) else "This is one of the options."
    return ""


def _email_problem(answer: str) -> str:
    try:
        validate_email(answer)
    except ValidationError:
        return "This is an e-mail address."
    return ""
