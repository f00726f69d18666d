"""What a kind of document owes, without a database. Each message names what is missing, and where."""

import importlib
import pkgutil
import re
import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from xero import documents
from xero.api.settings import SCOPES
from xero.documents.declaration import Kind, PricedKind
from xero.documents.registry import KINDS
from xero.sync.push import corrections
from xero.sync.push.flow import STRATEGIES
from xero_sandbox.app import create_app
from xero_sandbox.endpoints import Call, find
from xero_sandbox.problems import Problem
from xero_sandbox.world import World

each = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
PRICED = {name: kind for name, kind in KINDS.items() if isinstance(kind, PricedKind)}
each_priced = pytest.mark.parametrize("kind", PRICED.values(), ids=PRICED)

PUSHED = ("organisation_id", "push_state", "push_version", "xero_id", "xero_status", "pushed_at", "push_error")
PUSHED += ("push_correction", "created_at", "updated_at")
SUMS = ("number", "contact_id", "issue_date", "currency", "line_amount_types", "sub_total", "total_tax", "total")
MIGRATION = "a migration of include/sql/schema"


def file_of(kind: Kind) -> str:
    return f"plugins/xero/documents/{kind.name}.py"


@pytest.fixture(scope="module")
def schema(root: Path) -> str:
    """All migrations in their order, without comments."""
    files = sorted((root / "include/sql/schema").glob("*.sql"))
    return re.sub(r"\s*--.*", "", "\n".join(file.read_text() for file in files))


def columns(schema: str, table: str) -> set[str]:
    """Those that the migrations give this table, also by LIKE and by ALTER TABLE."""
    body = re.search(rf"CREATE TABLE {re.escape(table)} \((.*?)\n\);", schema, re.DOTALL)
    if not body:
        return set()
    found = set(re.findall(r"^ +([a-z_]+) +[a-z]", body[1], re.MULTILINE))
    for like in re.findall(r"LIKE ([\w.]+)", body[1]):
        found |= columns(schema, like)
    for altered in re.findall(rf"ALTER TABLE {re.escape(table)}\s(.*?);", schema, re.DOTALL):
        found |= set(re.findall(r"ADD COLUMN ([a-z_]+)", altered))
    return found


def test_each_file_declares_the_one_kind_of_its_name() -> None:
    """Of two with the same name the registry would have one."""
    declared = {}
    for found in pkgutil.iter_modules(documents.__path__):
        values = vars(importlib.import_module(f"xero.documents.{found.name}")).values()
        if names := [value.name for value in values if isinstance(value, Kind)]:
            declared[found.name] = names
    assert declared
    wrong = {f"plugins/xero/documents/{file}.py": names for file, names in declared.items() if names != [file]}
    assert not wrong, f"a file declares one kind, of the file's own name: {wrong}"


@each
def test_it_says_what_it_is(kind: Kind) -> None:
    where = file_of(kind)
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.name), f"{where}: name: words in lower case, joined by _"
    assert re.fullmatch(r"[a-z][a-z ]{2,29}", kind.word), f"{where}: word: what one is called within a sentence"
    assert re.fullmatch(r"[A-Z].{2,29}", kind.title), f"{where}: title: 3 to 30 characters, a capital first"
    assert re.fullmatch(r"[A-Z].{10,198}\.", kind.help), f"{where}: help: a sentence or two, 200 characters at most"
    others = [other.name for other in KINDS.values() if other is not kind and other.word == kind.word]
    assert not others, f"{where}: in messages nobody could tell it from {others}: both are called '{kind.word}'"
    assert kind.delivery in STRATEGIES, f"plugins/xero/sync/push/flow.py knows no {kind.delivery}"


@each
def test_the_app_asks_for_its_scope(kind: Kind) -> None:
    scopes = kind.scope.split()
    assert scopes, f"{file_of(kind)}: scope: which permission does it need?"
    unasked = sorted(set(scopes) - set(SCOPES))
    assert not unasked, f"plugins/xero/api/settings.py: SCOPES holds no {', '.join(unasked)}, so Xero would refuse"
    reading = [scope for scope in scopes if scope.endswith(".read")]
    assert reading != scopes, f"{file_of(kind)}: scope: {', '.join(reading)} may not write"


@each
def test_its_dag_file_makes_its_dag(kind: Kind, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = f"dags/push_{kind.name}.py"
    assert (root / file).is_file(), f'add {file}: a docstring, and push_dag("{kind.name}", __doc__)'
    made: list[tuple[str, Any]] = []
    factory = ModuleType("xero.dags")
    factory.push_dag = lambda name, doc: made.append((name, doc))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "xero.dags", factory)
    doc = runpy.run_path(str(root / file))["__doc__"]
    assert made == [(kind.name, doc)], f'{file} is to call push_dag("{kind.name}", __doc__), once'
    assert doc, f"{file} has no docstring: it is what Airflow shows of the DAG"
    assert "Airflow DAG" in doc, f"{file}: Airflow skips a file whose docstring lacks 'Airflow' and 'DAG'"


def test_the_readme_has_a_row_of_each(root: Path) -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(push_\w+)` \| `(\w+)` \|", (root / "README.md").read_text(), re.MULTILINE)
    told = {name: (dag_id, table) for name, dag_id, table in rows}
    there = {name: (f"push_{name}", kind.table) for name, kind in KINDS.items()}
    missing = sorted(there.keys() - told.keys())
    assert not missing, f"README.md: the table of documents has no row for {', '.join(missing)}"
    assert told == there


@each
def test_its_table_can_be_pushed(kind: Kind, schema: str) -> None:
    table = f"qicworks.{kind.table}"
    there = columns(schema, table)
    assert there, f"there is no table {table}: put it into {MIGRATION}"
    lacking = [name for name in PUSHED if name not in there]
    assert not lacking, f"{table} lacks {', '.join(lacking)}: LIKE xero_sync.pushed_row INCLUDING ALL"
    edited = rf"TRIGGER was_edited BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION xero_sync.\w+_was_edited"
    assert re.search(edited, schema), f"an edit of {table} would not be pushed: {MIGRATION} gives it was_edited"
    moves = (
        rf"TRIGGER moves BEFORE UPDATE OF push_state ON {table} FOR EACH ROW"
        r"(\s+WHEN \(NEW\.push_state IS DISTINCT FROM OLD\.push_state\))? EXECUTE FUNCTION xero_sync.push_state_"
    )
    assert re.search(moves, schema), f"who pushes could release drafts of {table}: {MIGRATION} gives it moves"
    ready = rf"CREATE INDEX \w+ ON {table} \(organisation_id\) WHERE push_state = 'ready'"
    assert re.search(ready, schema), f"{table} has no index of what is ready: put it into {MIGRATION}"


@each_priced
def test_a_priced_one_has_lines_attachments_and_an_owner(kind: PricedKind, schema: str, root: Path) -> None:
    table = f"qicworks.{kind.table}"
    lacking = [name for name in SUMS if name not in columns(schema, table)]
    assert not lacking, f"{table} lacks {', '.join(lacking)}: LIKE xero_sync.priced_document INCLUDING ALL"
    assert re.search(r"UNIQUE \(organisation_id, xero_id\)", re.split(rf"CREATE TABLE {table} ", schema)[1]), table
    for part in ("document_line", "attachment"):
        types = re.search(rf"TABLE qicworks.{part} .*?parent_type IN \((.*?)\)", schema, re.DOTALL)
        assert types
        assert f"'{kind.table}'" in types[1], f"qicworks.{part} cannot be of a {kind.table}: see its parent_type"
    claims = (root / "include/sql/push/documents.sql").read_text().split("-- name: claims")[1].split("-- name:")[0]
    assert f"FROM {table}\n" in claims or f"FROM {table})" in claims, (
        f"include/sql/push/documents.sql, claims: a {kind.word} could be taken for another document: add {table}"
    )


@pytest.fixture(scope="module")
def xero() -> World:
    return create_app(profile="small").world


@each_priced
def test_the_sandbox_takes_it(kind: PricedKind, xero: World) -> None:
    ways = [
        ("PUT", kind.path),
        ("POST", kind.path),
        ("GET", kind.path),
        ("GET", f"{kind.path}/some"),
        ("PUT", f"{kind.path}/some/Attachments/some.pdf"),
    ]
    for method, path in ways:
        try:
            endpoint = find(Call(xero, method, path, "", {}, b""))
        except Problem:
            pytest.fail(f"the sandbox does not know {method} {path}: add it to include/xero_sandbox/endpoints")
        assert set(endpoint.scopes) & set(kind.scope.split()), (
            f"{method} {path} asks for one of {endpoint.scopes}; {file_of(kind)} has {kind.scope}"
        )
    assert kind.editable, f"{file_of(kind)}: nothing of it could ever be changed"
    assert not kind.editable & kind.gone


def test_every_pull_that_a_correction_names_is_there() -> None:
    """`unfit` puts the way to the button in its place."""
    package = Path(documents.__file__).parents[1]
    files = [*(package / "documents").rglob("*.py"), *(package / "sync" / "push").rglob("*.py")]
    places = {place for file in files for place in re.findall(r"\{(pull_\w+)\}", file.read_text())}
    assert {"pull_contacts", "pull_staff"} <= places
    for place in places:
        assert corrections.instruct([f"Pull it ({{{place}}})."], set(), "") != "Pull it (…).", f"no data set {place}"
