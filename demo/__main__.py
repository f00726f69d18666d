"""`python -m demo up | stop`."""

import argparse
import os
import sys

from rich.console import Console
from rich.markup import escape

from demo import story
from demo.place import DemoError, Place


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("what", choices=["up", "stop"])
    what = parser.parse_args().what
    # A pipe has no width of its own: wide enough for the table.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    try:
        place = Place.from_environment(dict(os.environ))
        story.up(place, console) if what == "up" else story.stop(place, console)
    except DemoError as error:
        console.print(f"[bold red]{what} failed.[/] {escape(str(error))}")
        return 1
    return 0


sys.exit(main())
