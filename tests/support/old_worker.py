"""The command line of the code that PYTHONPATH names, again and again in one process. Not a test itself.

Reads a line of JSON for each command: its arguments, and what is to be set in the environment. Answers with another:
the exit code and what was said.
"""

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout


def main() -> None:
    import great_expectations.expectations  # noqa: F401  # once

    import xero.__main__ as command_line
    from xero.cli import terminal

    print(json.dumps({"code": 0, "out": str(command_line.__file__), "err": ""}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        os.environ.update(order["environment"])
        out, err = io.StringIO(), io.StringIO()
        terminal.app_of.cache_clear()
        with redirect_stdout(out), redirect_stderr(err):
            code = command_line.main(order["arguments"])
        print(json.dumps({"code": code, "out": out.getvalue(), "err": err.getvalue()}), flush=True)


if __name__ == "__main__":
    main()
