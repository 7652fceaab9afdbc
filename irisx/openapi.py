"""What every operation of the API has in common, added to the document once: refusals, headers, keys of idempotency."""

from typing import Any, Final

from drf_spectacular.openapi import AutoSchema

from accounts.gate import PUBLIC
from common.problems import MEDIA_TYPE

Json = dict[str, Any]
METHODS = {"get", "post", "put", "patch", "delete"}
JSON = "application/json"
REFUSALS: Final = {
    400: "The request could not be read.",
    401: "Nobody is signed in, or the credential is wrong, expired or revoked.",
    403: "The caller may not do this, or its company is suspended.",
    404: "It, or something it names, is not there, or is another company's.",
    406: "The address has no answer of an accepted type.",
    409: "Not possible in its present state, or in conflict with what is stored; a twin of the same Idempotency-Key.",
    413: "The request is larger than the address takes.",
    415: "The body's type is not read here.",
    422: "Some values are not valid; `errors` points at each.",
    429: "More requests than the quota allows; come back after `Retry-After` seconds.",
}
CREDENTIALS: Final[Json] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`irisx_live_…`), an access token of `/v1/auth/login`, or a visitor token (`vt_…`).",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "irisx_session",
        "description": "The session of somebody signed in with a browser; writing needs the header X-CSRFToken too.",
    },
}
PROBLEM: Final[Json] = {
    "type": "object",
    "description": "A refusal (RFC 9457). Programs go by `code`, people by `detail`. A code may add members of its own.",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:irisx:problem:invalid"]},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "code": {"type": "string", "examples": ["invalid", "limit-reached"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901) into the request."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "request_id": {"type": "string", "description": "As in the header X-Request-Id; name it when you ask us."},
    },
}
HEADERS: Final[Json] = {
    "RequestId": {"description": "The request's id: the one it brought, or a new one.", "schema": {"type": "string"}},
    "RateLimit": {
        "description": 'What is left of each quota, and the seconds until it begins anew: `"company";r=59;t=42`.',
        "schema": {"type": "string"},
    },
    "RateLimitPolicy": {
        "description": 'The quotas a program\'s requests count against: `"company";q=60;w=60`.',
        "schema": {"type": "string"},
    },
    "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
    "IdempotencyReplayed": {"description": "`true` on a stored answer.", "schema": {"type": "string"}},
}
IDEMPOTENCY_KEY: Final[Json] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Chosen by the sender, its own: the same key and body answer for 24 hours what was answered first, and have "
    "one effect; the same key with another body is 409.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
# They create nothing that a repeat could find again: a ticket or token is spent or short-lived, and stored nowhere.
# Nor an upload: one that no message carries is removed after a day, and the message takes the key.
WITHOUT_IDEMPOTENCY: Final = ("/v1/auth/", "/v1/signup", "/v1/chat/attachments")


class Schema(AutoSchema):
    """drf-spectacular's description of a view, with who may come in as the gate has it."""

    def get_auth(self) -> list[Json]:
        """Return each credential that is enough by itself; `{}`, nobody's, where none is needed."""
        needed = getattr(self.view, "permissions", {}).get(getattr(self.view, "action", None), ())
        is_public = PUBLIC in ((needed,) if isinstance(needed, str) else needed)
        schemes: list[Json] = [{name: []} for name in CREDENTIALS] if self.view.authentication_classes else []
        return schemes + ([{}] if is_public or not schemes else [])

    def get_operation_id(self) -> str:
        """Name an operation by its path and its action: `billing_invoices_list`."""
        return "_".join([*self._tokenize_path(), getattr(self.view, "action", self.method.lower())])

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Take every answer as its serializer has it: ours name the page around the rows themselves."""
        return False


def complete(result: Json, generator: Any, request: Any, public: bool) -> Json:
    """Add to each operation what the house answers everywhere (a drf-spectacular postprocessing hook)."""
    parts = result.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = PROBLEM
    parts["securitySchemes"] = CREDENTIALS
    parts["headers"], parts["parameters"] = HEADERS, {"IdempotencyKey": IDEMPOTENCY_KEY}
    parts["responses"] = {f"Problem{status}": _refusal(status) for status in REFUSALS}
    for schema in parts["schemas"].values():
        for field in schema.get("properties", {}).values():
            _let_be_blank(field)
    for path, item in result["paths"].items():
        for method in METHODS & item.keys():
            _complete(item[method], method, path)
    result["servers"] = [{"url": "/"}]
    return result


def _let_be_blank(field: Json) -> None:
    """Mend how drf-spectacular tells of a field that may be blank: as one of two, of which only one has the default."""
    choices = field.get("oneOf", [])
    if not any(choice.get("maxLength") == 0 or choice.get("enum") == [""] for choice in choices):
        return
    field["anyOf"] = field.pop("oneOf")
    defaults = [choice.pop("default") for choice in choices if "default" in choice]
    if defaults:
        field["default"] = defaults[0]


def _complete(operation: Json, method: str, path: str) -> None:
    responses = operation["responses"]
    for status, response in responses.items():
        if "$ref" not in response:
            response.setdefault("headers", {}).update(_headers(int(status)))
    if takes_idempotency_key(operation, method, path):
        operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/IdempotencyKey"})
        for status in [status for status in responses if status.startswith("2")]:
            responses[status]["headers"]["Idempotency-Replayed"] = _header("IdempotencyReplayed")
    for status in refusals_of(operation, method):
        responses.setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
    operation["responses"] = dict(sorted(responses.items()))


def takes_idempotency_key(operation: Json, method: str, path: str) -> bool:
    """Say whether a repeat under the same key is answered what was answered: every POST that creates."""
    creates = {"201", "202"} & operation["responses"].keys()
    return method == "post" and bool(creates) and not path.startswith(WITHOUT_IDEMPOTENCY)


def refusals_of(operation: Json, method: str) -> set[int]:
    """Return with which refusals an operation may answer."""
    has_body, named = "requestBody" in operation, {p.get("in") for p in operation.get("parameters", [])}
    found = {401, 403, 406, 429}
    if method != "get":
        found |= {400, 409, 415, 413, 422}
    if has_body or named & {"path", "query"}:
        found |= {404, 422}
    if method == "get" and not any(JSON in (r.get("content") or {}) for r in operation["responses"].values()):
        found |= {409}  # a document that is not made yet
    return found


def _refusal(status: int) -> Json:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": REFUSALS[status], "headers": _headers(status), "content": {MEDIA_TYPE: {"schema": schema}}}


def _headers(status: int) -> Json:
    found = {"X-Request-Id": _header("RequestId")}
    if status not in {400, 401, 406}:
        found |= {"RateLimit": _header("RateLimit"), "RateLimit-Policy": _header("RateLimitPolicy")}
    return found | ({"Retry-After": _header("RetryAfter")} if status in {409, 429} else {})


def _header(name: str) -> Json:
    return {"$ref": f"#/components/headers/{name}"}
