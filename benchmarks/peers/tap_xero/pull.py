"""Singer, tap-xero 2.6.0 | meltanolabs-target-postgres 0.8.1, each in its own environment: pulls contacts once.

Pages of 100, which the tap cannot change, including archived contacts. The target upserts by ContactID and loads by
COPY (use_copy, the faster option by its documentation); its validation is off, which took a third of its time. The
state that the target reports (STATE) is stored and passed back to the tap, which sends its bookmark as
If-Modified-Since, as a scheduler would. Patched: the tap's hosts, by `patch/sitecustomize.py`; and `six`, an undeclared
import of the tap, is installed. On a 429 of the minute limit the tap retries after Retry-After, 3 times in total; any
other 429 ends it, and so does a 503. The first run also signs in and writes the catalog, which a user does once. Needs
only the standard library of any Python.
"""

import base64
import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
STATE = Path(os.environ["STATE"])
ENVIRONMENTS = Path(os.environ["ENVIRONMENTS"])
XERO = os.environ["XERO_URL"]
REDIRECT = "http://localhost/callback"


def post(path: str, body: bytes, **headers: str) -> Any:
    request = urllib.request.Request(f"{XERO}{path}", body, headers, method="POST")  # noqa: S310 - the sandbox
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - the sandbox
        return json.load(response)


def refresh_token() -> str:
    """Returns the first refresh token; the tap rotates it and writes the next one into its configuration."""
    order = {
        "scope": "offline_access accounting.contacts.read",
        "redirect_uri": REDIRECT,
        "tenants": [os.environ["TENANT_ID"]],
    }
    code = post("/sandbox/authorise", json.dumps(order).encode())["code"]
    form = urllib.parse.urlencode({"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT})
    client = base64.b64encode(f"{os.environ['CLIENT_ID']}:{os.environ['CLIENT_SECRET']}".encode()).decode()
    return str(post("/connect/token", form.encode(), Authorization=f"Basic {client}")["refresh_token"])


def keep(name: str, text: str) -> None:
    """Writes the file atomically."""
    (STATE / "new").write_text(text)
    (STATE / "new").replace(STATE / name)


def set_up() -> None:
    """Writes the files that both programs need, if they do not exist yet."""
    if not (STATE / "tap.json").exists():
        tap = {
            "start_date": "2000-01-01T00:00:00Z",
            "client_id": os.environ["CLIENT_ID"],
            "client_secret": os.environ["CLIENT_SECRET"],
            "tenant_id": os.environ["TENANT_ID"],
            "refresh_token": refresh_token(),
            "include_archived_contacts": "true",
        }
        python = ENVIRONMENTS / "tap_xero-tap/bin/python"
        catalog = subprocess.run([python, HERE / "catalog.py"], check=True, stdout=subprocess.PIPE, text=True)
        keep("catalog.json", catalog.stdout)
        keep("tap.json", json.dumps(tap))
    target = {
        "sqlalchemy_url": os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1),
        "default_target_schema": "xero",
        "use_copy": True,
        "validate_records": False,
    }
    keep("target.json", json.dumps(target))


def run() -> int:
    """Runs tap | target. Returns the first exit code that is not 0, else 0."""
    tap = [ENVIRONMENTS / "tap_xero-tap/bin/tap-xero", "--config", STATE / "tap.json"]
    tap += ["--catalog", STATE / "catalog.json"]
    if (STATE / "state.json").exists():
        tap += ["--state", STATE / "state.json"]
    target = [ENVIRONMENTS / "tap_xero-target/bin/target-postgres", "--config", STATE / "target.json"]
    environment = {**os.environ, "PYTHONPATH": str(HERE / "patch")}
    with (
        subprocess.Popen(tap, env=environment, stdout=subprocess.PIPE) as reading,
        subprocess.Popen(target, stdin=reading.stdout, stdout=subprocess.PIPE, text=True) as writing,
    ):
        assert reading.stdout is not None
        assert writing.stdout is not None
        reading.stdout.close()  # only the target reads it, so the tap notices when the target ends
        for stored in writing.stdout:
            keep("state.json", stored)
    return reading.returncode or writing.returncode


if __name__ == "__main__":
    set_up()
    sys.exit(run())
