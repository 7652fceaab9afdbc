"""`manage.py partitions`: look at the months of the usage ledger, make those ahead, heal what strayed into DEFAULT."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from accounts.tenancy import system_access
from usage.services import partitions


class Command(BaseCommand):
    help = "The usage ledger's months: status, make (this month and three ahead), heal (move strays out of DEFAULT)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["status", "make", "heal"])

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        {"status": self._status, "make": self._make, "heal": self._heal}[action]()

    def _status(self) -> None:
        with system_access("manage.py partitions status"):
            names, strays = partitions.partition_names(), partitions.strays()
        for name in names:
            self.stdout.write(name)
        for month, count in strays:
            self.stdout.write(f"{month}: {count:,} records in DEFAULT; `partitions heal` moves them.")

    def _make(self) -> None:
        with system_access("manage.py partitions make"):
            for name in partitions.make_partitions(today=timezone.now().date()):
                self.stdout.write(name)

    def _heal(self) -> None:
        try:
            with system_access("manage.py partitions heal"):
                healed = partitions.heal_partitions()
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise CommandError("Others are recording into DEFAULT; nothing was moved. Try again.") from error
            raise
        for one in healed:
            self.stdout.write(f"{one.name}: {one.moved:,} records moved.")
        if not healed:
            self.stdout.write("DEFAULT is empty.")
