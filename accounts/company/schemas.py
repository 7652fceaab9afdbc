"""Bodies of `/v1/tenant/settings`."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from accounts.company.origins import serialized

MOST_ORIGINS = 20
LOCALES = ("en", "de")
CHANGE_EXAMPLE = OpenApiExample(
    "A page of ours may call the API", {"cors_origins": ["https://app.acme.example"]}, request_only=True
)
ANSWER_EXAMPLE = OpenApiExample(
    "Settings",
    {
        "name": "Acme",
        "locale": "en",
        "cors_origins": ["https://app.acme.example"],
        "require_mfa": False,
    },
    response_only=True,
)


class CompanySettingsChange(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120, required=False)
    locale = serializers.ChoiceField(LOCALES, required=False, help_text="Of e-mails to the company.")
    cors_origins = serializers.ListField(
        child=serializers.CharField(max_length=300),
        required=False,
        max_length=MOST_ORIGINS,
        help_text="Sites whose pages may call the API with a key or token, e.g. https://app.acme.example. Whoever opens such a "
        "page can read a key in it: give that key no more scopes than its visitors may have.",
    )
    require_mfa = serializers.BooleanField(required=False, help_text="Members sign in with a second factor.")

    def validate_cors_origins(self, value: list[str]) -> list[str]:
        """Keep each origin as browsers write it, once."""
        found = [serialized(text) for text in value]
        wrong = {
            str(index): ["An origin is like https://app.acme.example, with nothing behind host and port."]
            for index, origin in enumerate(found)
            if origin is None
        }
        if wrong:
            raise serializers.ValidationError(wrong)
        return list(dict.fromkeys(origin for origin in found if origin))


class CompanySettings(serializers.Serializer[Any]):
    name = serializers.CharField()
    locale = serializers.CharField()
    cors_origins = serializers.ListField(child=serializers.CharField())
    require_mfa = serializers.BooleanField()
