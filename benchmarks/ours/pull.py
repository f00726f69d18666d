"""This project's pull of contacts as a worker runs it: loads the imports of tasks, then forks a process for one pull.

Writes the cost of that process only to COST, as JSON.
"""

import json
import os
import sys
import time
from pathlib import Path

from xero.__main__ import main
from xero.preloading import preload


def child(arguments: list[str]) -> None:
    began, used = time.monotonic(), time.process_time()
    code = main(arguments)
    wall, cpu = time.monotonic() - began, time.process_time() - used
    [highest] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    cost = {"wall": wall, "cpu": cpu, "memory": int(highest.split()[1]) / 1024}
    Path(os.environ["COST"]).write_text(json.dumps(cost))
    os._exit(code)


preload()
pid = os.fork()
if not pid:
    child(sys.argv[1:])
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))
