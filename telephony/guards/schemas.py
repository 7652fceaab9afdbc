"""Bodies of the list of numbers not to call."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from telephony.guards.csv_numbers import MOST_NOTE
from telephony.inbound.schemas import StrictSerializer


class NewNumber(StrictSerializer):
    """A number not to call."""

    number = serializers.CharField(max_length=40, help_text="With its plus and country code; kept as E.164.")
    note = serializers.CharField(max_length=MOST_NOTE, allow_blank=True, default="")


class NumberAnswer(serializers.Serializer[Any]):
    """An entry of the list."""

    id = serializers.CharField(help_text="`dnc_…`")
    number = serializers.CharField(help_text="E.164.")
    note = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()


class NumberPage(serializers.Serializer[Any]):
    """A page of the list, newest first."""

    results = NumberAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class RowProblem(serializers.Serializer[Any]):
    """What is wrong with a row."""

    pointer = serializers.CharField(help_text="`/rows/3/number`: the third row's, the header apart.")
    code = serializers.CharField()
    detail = serializers.CharField()


class NumbersImported(serializers.Serializer[Any]):
    """What came of a file."""

    added = serializers.IntegerField()
    present = serializers.IntegerField(help_text="On the list already: left as they are.")
    refused = serializers.IntegerField(help_text="Rows that hold no number.")
    errors: Any = RowProblem(many=True, help_text="Of the refused rows, the first hundred.")


ENTRY = {
    "id": "dnc_0196f1d2a4c87b3e9d5f0a1b2c3d4e5f",
    "number": "+15550100212",
    "note": "Asked on the telephone",
    "created_at": "2026-01-01T12:00:00.000000Z",
}
NEW_EXAMPLE = OpenApiExample(
    "Somebody asked", {"number": "+15550100212", "note": "Asked on the telephone"}, request_only=True
)
ENTRY_EXAMPLE = OpenApiExample("An entry", ENTRY, response_only=True)
FILE_EXAMPLE = OpenApiExample(
    "A file", "number,note\n+15550100212,Asked on the telephone\n", request_only=True, media_type="text/csv"
)
IMPORT_EXAMPLE = OpenApiExample(
    "Two new numbers, and a row without one",
    {
        "added": 2,
        "present": 0,
        "refused": 1,
        "errors": [{"pointer": "/rows/3/number", "code": "not-a-number", "detail": "This is no telephone number."}],
    },
    response_only=True,
)
