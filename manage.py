#!/usr/bin/env python
"""Run Django's commands for IRISX."""

import os
import sys
from pathlib import Path


def main() -> None:
    if sys.argv[1:2] == ["release"]:  # must also run where Django does not start
        from irisx.release.command import main as release

        sys.exit(release(sys.argv[2:], Path(__file__).resolve().parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "irisx.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
