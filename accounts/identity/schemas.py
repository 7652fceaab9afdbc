"""What comes in and goes out at `/v1/auth` and `/v1/signup`."""

from typing import Any

from django.core.validators import EmailValidator
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from accounts.identity.wording import LANGUAGES

check_address = EmailValidator("An e-mail address, for example alice@acme.example.")


class AddressField(serializers.CharField):
    """An e-mail address, kept in lower case."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, validators=[check_address], **options)

    def to_internal_value(self, data: Any) -> str:
        return str(super().to_internal_value(data)).lower()


class PasswordField(serializers.CharField):
    """A password, spaces kept."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=256, trim_whitespace=False, style={"input_type": "password"}, **options)


class LoginBody(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=254)
    password = PasswordField()


class CodeBody(serializers.Serializer[Any]):
    mfa_token = serializers.CharField(max_length=400, help_text="From the answer 202 of `/v1/auth/login`.")
    code = serializers.CharField(max_length=32, help_text="Of the authenticator app, or an unused recovery code.")


class RefreshBody(serializers.Serializer[Any]):
    refresh_token = serializers.CharField(max_length=4000)


class LogoutBody(serializers.Serializer[Any]):
    refresh_token = serializers.CharField(max_length=4000, required=False)


class TokensAnswer(serializers.Serializer[Any]):
    access_token = serializers.CharField(help_text="For `Authorization: Bearer`.")
    refresh_token = serializers.CharField(help_text="Good once, at `/v1/auth/refresh`.")
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds until the access token ends.")
    refresh_expires_in = serializers.IntegerField(help_text="Seconds until the refresh token ends.")


class HalfAnswer(serializers.Serializer[Any]):
    mfa_token = serializers.CharField(help_text="For `/v1/auth/login/totp`; signs nobody in.")
    methods = serializers.ListField(child=serializers.CharField())
    expires_in = serializers.IntegerField(help_text="Seconds.")


class SignUpBody(serializers.Serializer[Any]):
    email = AddressField()
    name = serializers.CharField(max_length=120)
    company = serializers.CharField(max_length=120)
    language = serializers.ChoiceField(choices=LANGUAGES, default="en")
    timezone = serializers.CharField(max_length=64, default="UTC", help_text="An IANA time zone.")


class AcceptedAnswer(serializers.Serializer[Any]):
    detail = serializers.CharField()


class VerifyBody(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=400, help_text="The last part of the mailed link.")
    password = PasswordField()


class FoundedAnswer(TokensAnswer):
    user = serializers.DictField()
    tenant = serializers.DictField()
    api_key = serializers.CharField(help_text="Shown now and never again.")


class PasswordBody(serializers.Serializer[Any]):
    password = PasswordField(help_text="The present one.")
    new_password = PasswordField()


class ResetAskBody(serializers.Serializer[Any]):
    email = AddressField()


class ResetBody(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=400, help_text="The last part of the mailed link.")
    password = PasswordField()


class NewAddressBody(serializers.Serializer[Any]):
    password = PasswordField()
    email = AddressField()


class TokenBody(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=800, help_text="The last part of the mailed link.")


class OwnPasswordBody(serializers.Serializer[Any]):
    password = PasswordField()


class TotpCodeBody(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=32)


class TotpOffBody(serializers.Serializer[Any]):
    password = PasswordField()
    code = serializers.CharField(max_length=32)


class TotpState(serializers.Serializer[Any]):
    is_on = serializers.BooleanField()
    since = serializers.DateTimeField(allow_null=True)
    recovery_codes_left = serializers.IntegerField()


class TotpSecret(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="Base32, for the authenticator app.")
    uri = serializers.CharField(help_text="`otpauth://…`, for a QR code.")


class RecoveryCodes(serializers.Serializer[Any]):
    recovery_codes = serializers.ListField(child=serializers.CharField(), help_text="Each good once; shown now alone.")


class SessionAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.CharField()
    network = serializers.CharField()
    user_agent = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    is_current = serializers.BooleanField()


class SessionPage(serializers.Serializer[Any]):
    results = SessionAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


TOKENS = {
    "access_token": "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl91c2UiOiJhY2Nlc3MifQ.c2lnbmVk",
    "refresh_token": "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl91c2UiOiJyZWZyZXNoIn0.c2lnbmVk",
    "token_type": "Bearer",
    "expires_in": 300,
    "refresh_expires_in": 1_209_600,
}
LOGIN_EXAMPLES = [
    OpenApiExample("Sign in", {"email": "alice@acme.example", "password": "correct horse battery"}, request_only=True),
    OpenApiExample("Tokens", TOKENS, response_only=True, status_codes=["200"]),
    OpenApiExample(
        "A code is needed",
        {"mfa_token": "mfa_WyIwMTk5Il0:1t", "methods": ["totp", "recovery_code"], "expires_in": 300},
        response_only=True,
        status_codes=["202"],
    ),
]
SIGN_UP_EXAMPLE = OpenApiExample(
    "Sign up",
    {"email": "alice@acme.example", "name": "Alice", "company": "Acme Bicycles", "timezone": "Europe/Berlin"},
    request_only=True,
)
