"""The whole stack, as `make demo` starts it: PostgreSQL, the sandbox, Airflow; on ports and in a folder of its own."""

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from rich.console import Console

from demo import postgres, story
from demo.airflow_api import AirflowApi
from demo.place import PORTS
from demo.processes import listening
from tests.support.postgres import in_memory
from tests.support.stack import GENEROUS, ImpatientPlace, Stack, reserved_for_a_place


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    """`make demo`, and at the end, whatever happened, `make stop`."""
    # Not one of pytest's own temporary folders: those only we may search, and PostgreSQL may run as a user of its own.
    home = Path(tempfile.mkdtemp(prefix="stack-", dir=in_memory()))
    home.chmod(0o755)
    said = io.StringIO()
    console = Console(file=said, width=200)
    with ExitStack() as afterwards:
        ports = afterwards.enter_context(reserved_for_a_place())
        place = ImpatientPlace.from_environment({"XERO_DEMO_HOME": str(home), **ports})
        afterwards.callback(shutil.rmtree, home, ignore_errors=True)
        afterwards.callback(story.stop, place, console)
        place.prepare()
        story.start_sandbox(place)
        postgres.start(place)
        story.wait_for_sandbox(place)
        requests.patch(f"{place.sandbox}/sandbox/settings", json=GENEROUS, timeout=30).raise_for_status()
        story.up(place, console)
        api = AirflowApi(place)
        api.wait_until_up(story.PATIENCE)
        with api.session:
            yield Stack(place, api, said.getvalue())
    assert not [variable for variable, name in PORTS.items() if listening(getattr(place, name))]
