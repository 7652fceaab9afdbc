"""What a switch asks, read from the form it posts: pure. Anything it may send is read; what is missing is empty."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

MOST_FIELDS = 5000  # a channel with many variables sends some hundreds


@dataclass(frozen=True, slots=True)
class Question:
    """The fields we look at, of a request's some hundred."""

    section: str
    key: str  # the name of the configuration, or the domain
    user: str
    domain: str
    purpose: str
    context: str
    destination: str
    sip_user: str  # who signed in, on a call from a telephone


def read(body: bytes) -> Question:
    """Return the question of a form; of a field sent twice the first counts, as the switch puts its own before a caller's."""
    fields: dict[str, str] = {}
    text = body.decode("utf-8", "replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=MOST_FIELDS)
    except ValueError:
        pairs = []
    for name, value in pairs:
        fields.setdefault(name, value)
    return Question(
        section=fields.get("section", ""),
        key=fields.get("key_value", ""),
        user=fields.get("user", ""),
        domain=fields.get("domain", "") or fields.get("key_value", ""),
        purpose=fields.get("purpose", ""),
        context=fields.get("Hunt-Context") or fields.get("Caller-Context", ""),
        destination=fields.get("Hunt-Destination-Number") or fields.get("Caller-Destination-Number", ""),
        sip_user=fields.get("variable_user_name", "") if fields.get("variable_sip_authorized") == "true" else "",
    )
