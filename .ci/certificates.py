"""Runs a command that downloads, trusting the certificate authorities of this system: `certificates.py COMMAND …`.

uv and pip before 24.2 bring a list of authorities of their own. The authority of a company's proxy or mirror is not on
it: it is in the system's store. What is set already, by a variable or in pip's own configuration, stays.
"""

import os
import ssl
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def store() -> str | None:
    """Returns the file or folder where Python finds the system's authorities, or None when it has none."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return paths.cafile
    # OpenSSL finds an authority in a folder by such a name only. The folder may be there and empty.
    return paths.capath if paths.capath and any(Path(paths.capath).glob("*.0")) else None


def variables(command: Sequence[str] = ()) -> dict[str, str]:
    """Returns the environment variables that the command needs in addition.

    There are none without a store: uv does not start when it is to use one that has nothing in it."""
    found = store()
    if not found:
        return {}
    pip = command[1:3] == ["-m", "pip"] and not pip_has_a_bundle()
    wanted = {"UV_SYSTEM_CERTS": "true"} | ({"PIP_CERT": found} if pip else {})
    return {name: value for name, value in wanted.items() if name not in os.environ}


def pip_has_a_bundle() -> bool:
    """Whether pip's configuration names a bundle, which would lose against `PIP_CERT`."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return any(line.partition("=")[0].endswith(".cert") for line in listed.splitlines())


if __name__ == "__main__":
    _, *command = sys.argv
    os.execvpe(command[0], command, os.environ | variables(command))  # noqa: S606 - it is given by our own Makefile
