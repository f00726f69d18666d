"""Starts or stops the demo: `python -m demo up | stop`, or `python -m demo cluster up | stop` for the cluster."""

import argparse
import os
import sys

from rich.console import Console
from rich.markup import escape

from demo import story
from demo.cluster import Cluster
from demo.place import ROOT, DemoError, Place


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("cluster", nargs="?", choices=["cluster"], help="use the services of docker-compose.yaml")
    parser.add_argument("what", choices=["up", "stop"])
    options = parser.parse_args()
    # A pipe has no width: use one that is wide enough for the tables.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    try:
        if options.cluster:
            cluster(options.what, console)
        else:
            place = Place.from_environment(dict(os.environ))
            story.up(place, console) if options.what == "up" else story.stop(place, console)
    except DemoError as error:
        console.print(f"[bold red]{options.what} failed.[/] {escape(str(error))}")
        return 1
    return 0


def cluster(what: str, console: Console) -> None:
    """Starts or stops every service of docker-compose.yaml, in a separate folder."""
    place = Place.from_environment({"XERO_DEMO_HOME": str(ROOT / ".demo-cluster"), **os.environ})
    services = Cluster(place)
    if what == "stop":
        services.stop()
        console.print(f"The cluster in {place.home} is stopped.")
        return
    with console.status("Starting the services …"):
        services.start()
    for name in services.services:
        console.print(f"{name:<22} {services.log(name)}")
    console.print(f"Airflow   {place.ui}  user admin  password {place.secrets['admin_password']}")


sys.exit(main())
