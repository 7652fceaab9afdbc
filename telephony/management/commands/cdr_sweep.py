"""Take in the call detail records a switch could not post and left in its error directory."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from telephony.cdr.services import take_in

TAKEN, UNREADABLE = "taken", "unreadable"


class Command(BaseCommand):
    help = "Take in the records of mod_json_cdr's err-log-dir; each file is moved to taken/ or unreadable/ below it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path)

    def handle(self, *args: Any, directory: Path, **options: Any) -> None:
        """Sweep once. Whoever dies between storing and moving a file stores nothing twice."""
        if not directory.is_dir():
            raise CommandError(f"{directory} is no directory.")
        swept = {TAKEN: 0, UNREADABLE: 0}
        for file in sorted(directory.glob("*.json")):
            is_readable = take_in(body=file.read_bytes(), now=timezone.now())
            where = TAKEN if is_readable else UNREADABLE
            (directory / where).mkdir(exist_ok=True)
            file.rename(directory / where / file.name)
            swept[where] += 1
        self.stdout.write(f"{swept[TAKEN]} taken, {swept[UNREADABLE]} unreadable")
