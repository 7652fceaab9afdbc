"""`python -m irisx.local demo` runs the demo; `python -m irisx.local reset` forgets its data."""

import argparse
import sys
from pathlib import Path

from irisx.local.demo import run_demo
from irisx.local.errors import StartError
from irisx.local.programs import ROOT
from irisx.local.state import StateDirectory


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m irisx.local", description=__doc__)
    parser.add_argument("command", choices=("demo", "reset"))
    parser.add_argument("--state-dir", type=Path, default=ROOT / ".irisx", help="where the data is (%(default)s)")
    options = parser.parse_args(arguments)
    state = StateDirectory(options.state_dir)
    return run_demo(state) if options.command == "demo" else reset(state)


def reset(state: StateDirectory) -> int:
    """Delete the data of a demo that does not run."""
    try:
        with state.locked():
            state.forget()
    except (StartError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Forgot everything in {state.path}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
