"""What a data set owes, without a database. Each message names what is missing, and where."""

import importlib
import pkgutil
import re
import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, get_args
from urllib.parse import urlencode

import pytest
from croniter import croniter

from xero import datasets
from xero.api.settings import SCOPES
from xero.datasets.declaration import Dataset, Reading, Source
from xero.datasets.registry import DATASETS
from xero.qicworks.pull.merge import Moment
from xero_sandbox.app import create_app
from xero_sandbox.endpoints import Call, Endpoint, find
from xero_sandbox.organisation import Organisation
from xero_sandbox.problems import Problem
from xero_sandbox.wire import decode
from xero_sandbox.world import World

each = pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)


def file_of(dataset: Dataset) -> str:
    return f"plugins/xero/datasets/{dataset.name}.py"


def test_each_file_declares_the_one_data_set_of_its_name() -> None:
    """Of two with the same name the registry would have one."""
    declared = {}
    for found in pkgutil.iter_modules(datasets.__path__):
        values = vars(importlib.import_module(f"xero.datasets.{found.name}")).values()
        if names := [value.name for value in values if isinstance(value, Dataset)]:
            declared[found.name] = names
    assert declared
    wrong = {f"plugins/xero/datasets/{file}.py": names for file, names in declared.items() if names != [file]}
    assert not wrong, f"a file declares one data set, of the file's own name: {wrong}"


@each
def test_it_says_what_it_is_and_when(dataset: Dataset) -> None:
    where = file_of(dataset)
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", dataset.name), f"{where}: name: words in lower case, joined by _"
    assert re.fullmatch(r"[A-Z].{2,29}", dataset.title), f"{where}: title: 3 to 30 characters, a capital first"
    assert re.fullmatch(r"[A-Z].{10,198}\.", dataset.help), f"{where}: help: a sentence or two, 200 characters at most"
    assert croniter.is_valid(dataset.schedule), f"{where}: schedule: '{dataset.schedule}' is no cron expression"


@each
def test_the_app_asks_for_its_scope(dataset: Dataset) -> None:
    scopes = dataset.scope.split()
    assert scopes, f"{file_of(dataset)}: scope: which permission does it need?"
    unasked = [scope for scope in scopes if not {scope, scope.removesuffix(".read")} & set(SCOPES)]
    assert not unasked, f"plugins/xero/api/settings.py: SCOPES holds no {', '.join(unasked)}, so Xero would refuse"


@each
def test_its_declaration_agrees_with_itself(dataset: Dataset) -> None:
    assert dataset.tables, f"{file_of(dataset)}: no source fills a table"
    sources = [source.name for source in dataset.sources]
    assert len(set(sources)) == len(sources), f"{file_of(dataset)}: two sources are called alike: {sources}"
    for table in dataset.tables:
        where = f"{file_of(dataset)}: table {table.name}"
        columns = {column.name: column for column in table.columns}
        assert len(columns) == len(table.columns), f"{where}: a column is declared twice"
        assert table.key in columns, f"{where}: the key '{table.key}' is no column"
        assert columns[table.key].required, f"{where}: the key '{table.key}' is not required"
        named = {rule.column for rule in table.rules} | ({table.owner_key} if table.owner_key else set())
        assert named <= columns.keys(), f"{where}: {named - columns.keys()} is no column"


@each
def test_its_dag_file_makes_its_dag(dataset: Dataset, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = f"dags/pull_{dataset.name}.py"
    assert (root / file).is_file(), f'add {file}: a docstring, and pull_dag("{dataset.name}", __doc__)'
    made: list[tuple[str, Any]] = []
    factory = ModuleType("xero.dags")
    factory.pull_dag = lambda name, doc: made.append((name, doc))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "xero.dags", factory)
    doc = runpy.run_path(str(root / file))["__doc__"]
    assert made == [(dataset.name, doc)], f'{file} is to call pull_dag("{dataset.name}", __doc__), once'
    assert doc, f"{file} has no docstring: it is what Airflow shows of the DAG"
    assert "Airflow DAG" in doc, f"{file}: Airflow skips a file whose docstring lacks 'Airflow' and 'DAG'"


def statements(file: Path) -> dict[str, str]:
    """Name → how aiosql runs it: '!' without an answer, '$' for one value, '' for rows."""
    return dict(re.findall(r"^-- name: (\w+)(\W?)$", file.read_text(), re.MULTILINE))


def called(dataset: Dataset) -> dict[str, dict[str, str]]:
    """What it may have, by file: the statements that are asked for, and those that are run where they are there."""
    found: dict[str, dict[str, str]] = {}
    for table in dataset.tables:
        for moment in (*get_args(Moment), "missing") if table.statements else ():
            how = "" if moment in ("warnings", "missing") else "!"
            found.setdefault(str(table.statements), {})[f"{moment}_{table.name}"] = how
    return {**found, **{file: {**found.get(file, {}), **names} for file, names in needed(dataset).items()}}


LINKING = {"newcomers": "", "held": "", "hold": "!", "link": "!"}


def needed(dataset: Dataset) -> dict[str, dict[str, str]]:
    names = {source.starts_at: "$" for source in dataset.sources if source.starts_at}
    names |= {source.ids: "" for source in dataset.sources if source.reading is Reading.BY_ID}
    if dataset.full_if:
        names[dataset.full_if] = "$"
    for table in dataset.tables:
        if table.linked:  # qicworks/pull/newcomers.py
            names |= {f"{name}_{table.name}": how for name, how in LINKING.items()}
    return {str(dataset.statements): names} if names else {}


@each
def test_its_statements_are_there(dataset: Dataset, root: Path) -> None:
    for name in called(dataset):
        file = f"include/sql/pull/{name}.sql"
        assert name != "None", f"{file_of(dataset)} has to name its file of include/sql/pull: statements=…"
        assert (root / file).is_file(), f"{file} is missing: {file_of(dataset)} names it"
        missing = needed(dataset).get(name, {}).items() - statements(root / file).items()
        assert not missing, f"{file} lacks {' and '.join(f'-- name: {name}{how}' for name, how in sorted(missing))}"
    for source in dataset.sources:
        by_id = source.reading is Reading.BY_ID
        fixed = source.payroll and not by_id
        assert (source.fixed_page_size is not None) == fixed, f"{file_of(dataset)}: Payroll AU has pages of 100"
        assert ("{id}" in source.path) == by_id, f"{file_of(dataset)}: {{id}} in a path and Reading.BY_ID go together"


def test_every_statement_is_one_that_is_run(root: Path) -> None:
    """One that is called a little wrongly would never be, and nobody would be told."""
    run: dict[str, dict[str, str]] = {}
    for dataset in DATASETS.values():
        for file, names in called(dataset).items():
            run[file] = run.get(file, {}) | names
    files = sorted((root / "include/sql/pull").glob("*.sql"))
    assert files
    for file in files:
        found = {(name.partition("__")[0], how) for name, how in statements(file).items()}
        assert found, f"include/sql/pull/{file.name} holds no statement"
        idle = found - run.get(file.stem, {}).items()
        assert not idle, f"include/sql/pull/{file.name}: nothing runs {sorted(map(''.join, idle))}"


@pytest.fixture(scope="module")
def xero() -> World:
    return create_app(profile="small").world


def call_of(xero: World, source: Source, organisation: Organisation) -> tuple[Endpoint, Call]:
    call = Call(xero, "GET", source.path.format(id="some"), urlencode(source.params), {}, b"")
    call.tenant = organisation
    return find(call), call


def records(xero: World, source: Source) -> list[Any]:
    """Of the first organisation that has some; one without payroll has none."""
    for organisation in xero.organisations.values():
        endpoint, call = call_of(xero, source, organisation)
        try:
            if found := source.records(decode(endpoint.handle(call).body).get(source.envelope)):
                return list(found)
        except Problem:
            continue
    return []


@each
def test_the_sandbox_has_a_sample(dataset: Dataset, xero: World) -> None:
    where = f"include/xero_sandbox/endpoints/{dataset.name}.py"
    for source in dataset.sources:
        try:
            endpoint, _ = call_of(xero, source, next(iter(xero.organisations.values())))
        except Problem:
            pytest.fail(f"the sandbox does not know {source.path}: add {where} with ENDPOINTS and COLLECTIONS")
        opens = set(endpoint.scopes) & set(dataset.scope.split())
        assert opens, (
            f"{source.path} of the sandbox asks for one of {endpoint.scopes}; the data set has {dataset.scope}"
        )
        if source.reading is not Reading.BY_ID:
            found = records(xero, source)
            assert found, f"{source.path} of the sandbox lists no '{source.envelope}': COLLECTIONS of {where}"
