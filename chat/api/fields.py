"""Fields of chat's bodies that are checked by chat's own rules."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chat.attributes import LONGEST_VALUE, MOST, Scalar, check_attributes
from common.errors import Invalid


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"type": ["string", "number", "boolean", "null"], "maxLength": LONGEST_VALUE},
        "maxProperties": MOST,
    }
)
class AttributesField(serializers.Field):  # type: ignore[type-arg] # DRF's stubs want four parameters for a plain field
    """An object of at most 50 texts, numbers, booleans and nulls by name."""

    def to_internal_value(self, data: Any) -> dict[str, Scalar]:
        try:
            return check_attributes(data, pointer="")
        except Invalid as error:
            raise serializers.ValidationError(
                {e.pointer.lstrip("/"): [e.detail] for e in error.errors if e.pointer} or [error.message]
            ) from error

    def to_representation(self, value: Any) -> Any:
        return value
