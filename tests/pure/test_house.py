"""The house stays one to live in: rooms, files and functions that fit a head and a screen."""

import ast
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "plugins" / "xero"
FILES = sorted(PACKAGE.rglob("*.py"))

MAX_LINES = 300
MAX_MODULES = 16
MAX_FUNCTION_LINES = 60
# A DAG is declared with its tasks inside one function: that is how Airflow reads it.
FACTORIES = {"dags/pulling.py", "dags/pushing.py", "dags/reconciling.py", "dags/tying_out.py"}


def test_no_file_is_long() -> None:
    assert len(FILES) > 100
    lines = {file.relative_to(PACKAGE).as_posix(): len(file.read_text().splitlines()) for file in FILES}
    assert {file: count for file, count in lines.items() if count > MAX_LINES} == {}


def test_no_room_is_crowded() -> None:
    rooms = Counter(file.parent.relative_to(PACKAGE).as_posix() for file in FILES)
    assert {room: count for room, count in rooms.items() if count > MAX_MODULES} == {}


def test_no_function_is_long() -> None:
    long = {}
    for file in FILES:
        if (name := file.relative_to(PACKAGE).as_posix()) in FACTORIES:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef) and node.end_lineno:
                length = node.end_lineno - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    long[f"{name} {node.name}"] = length
    assert long == {}


def test_every_room_says_what_it_is() -> None:
    for init in PACKAGE.rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(init.read_text())), f"{init}: one line of what belongs here"
