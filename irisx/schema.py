"""How the OpenAPI document tells of signing in."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # drf-spectacular registers by metaclass
    """An API key (`irisx_live_…`), an access token of `/v1/auth/login`, or a visitor token (`vt_…`).

    Browsers of signed-in people use their session.
    """

    target_class = "accounts.gate.PrincipalAuthentication"
    match_subclasses = True
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": self.__doc__ or ""}
