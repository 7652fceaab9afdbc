"""Migrate and seed in one process: two would load Django twice.

Usage: python -m irisx.local.prepare SEED_JSON
"""

import os
import sys

import django
from django.core.management import call_command


def main(seed_file: str) -> None:
    """Bring the database up to date and write who and what the demo company is."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "irisx.settings")
    django.setup()
    call_command("migrate", interactive=False)
    call_command("seed_demo", json=seed_file)


if __name__ == "__main__":
    main(sys.argv[1])
