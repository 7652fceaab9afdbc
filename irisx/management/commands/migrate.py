"""`migrate` as IRISX needs it: through the owner's connection, after the roles stand."""

from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections

from irisx.roles import ensure_roles


class Command(DjangoMigrate):
    """Migrate `owner` unless another database is named."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> str | None:
        if options["database"] == "owner":
            ensure_roles(connections["owner"], serving_role=str(connections["default"].settings_dict["USER"]))
        return super().handle(*args, **options)
