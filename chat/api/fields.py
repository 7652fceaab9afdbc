"""Fields of chat's bodies that are checked by chat's own rules."""

from typing import Any

from rest_framework import serializers

from chat.attributes import Scalar, check_attributes
from common.errors import Invalid


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
