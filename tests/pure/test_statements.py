"""Statements are in `include/sql`: Python names them and passes parameters. COPY and GRANT are excepted."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.sql import Identifier

from xero.qicworks import sql
from xero.qicworks.admin import retention

PACKAGE = Path(__file__).resolve().parents[2] / "plugins" / "xero"

# How a statement begins, in capitals and with what follows it: a lonely "UPDATE" is the name of a right.
BEGINNING = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*"
    r"(?:SELECT\s+\S|INSERT\s+INTO\s|UPDATE\s+\S|DELETE\s+FROM\s|MERGE\s+INTO\s|WITH\s+\S|VALUES\s*\(|SET\s+\S|RESET\s+\S"
    r"|SHOW\s+\S|LOCK\s+\S|CREATE\s+\S|ALTER\s+\S|DROP\s+\S|TRUNCATE\s+\S|ANALYZE\b|NOTIFY\s+\S|LISTEN\s+\S|CALL\s+\S)"
)
# What makes a part of a statement one that should be read in a file: more than names, commas and operators.
PART = re.compile(r"\b(?:SELECT|FROM|WHERE|CASE|JOIN|EXISTS|ARRAY|RETURNING|HAVING|UNION|ORDER BY|GROUP BY)\b")
EXCEPTED = re.compile(r"\s*(?:COPY|GRANT|REVOKE)\s")


def statements(source: str) -> Iterator[str]:
    """The texts in this Python source that are SQL."""
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if node.body and isinstance(node.body[0], ast.Expr)
    }
    composed = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("SQL", "text")
        for argument in node.args
    }
    formatted = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    first = {id(node.values[0]) for node in formatted if node.values}
    later = {id(part) for node in formatted for part in node.values[1:]}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in docstrings | later:
            continue
        text = f"{node.value}…" if id(node) in first else node.value
        if BEGINNING.match(text) or (id(node) in composed and PART.search(text) and not EXCEPTED.match(text)):
            yield text


def found() -> dict[str, list[str]]:
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 100
    by_file = {file.relative_to(PACKAGE).as_posix(): list(statements(file.read_text())) for file in files}
    return {file: texts for file, texts in by_file.items() if texts}


def test_no_statement_is_in_python() -> None:
    message = "move these to include/sql; names that vary are places there, see xero.qicworks.sql.template"
    assert found() == {}, message


@pytest.mark.parametrize(
    "source",
    [
        'session.execute("SELECT 1")',
        'session.execute("""\n  WITH a AS (SELECT 1)\n  SELECT * FROM a""")',
        'session.execute("-- why\\nDELETE FROM xero_sync.staging")',
        'f"UPDATE {table} SET a = 1"',
        'KEPT = "SET lock_timeout = 0"',
        'sql.SQL("coalesce((SELECT max(at) FROM {}), now())")',
        "SQL(\"CASE WHEN {} THEN 'a' END\")",
    ],
)
def test_a_statement_is_found(source: str) -> None:
    assert list(statements(source))


@pytest.mark.parametrize(
    "source",
    [
        '"""SELECT is a word of SQL."""',
        'RIGHTS = ("SELECT", "INSERT", "UPDATE")',
        '"Update the contact in Xero, then push again"',
        'SQL("COPY {} ({}) FROM STDIN")',
        'SQL("GRANT {} ON {} TO {}")',
        'SQL(", ").join(names)',
        'SQL("{0} = excluded.{0}")',
        'f"it has settings ({them}); ALTER ROLE {role} RESET ALL takes them away"',
    ],
)
def test_other_texts_are_none(source: str) -> None:
    assert not list(statements(source))


def test_a_template_has_named_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "of_a_test.sql").write_text(
        "-- name: count_of\n-- Why.\nSELECT count({key}), '{{}}'::text[] FROM {stage} WHERE a = :id;\n\n"
        "-- name: key!\ncoalesce({name}, :otherwise)\n;\n"
    )
    monkeypatch.setattr(sql, "folder", lambda: tmp_path)
    key = sql.template("of_a_test", "key").format(name=Identifier("a b"))
    made = sql.template("of_a_test", "count_of").format(key=key, stage=Identifier("xero_sync", "stage_tax"))
    assert made.as_string() == (
        """SELECT count(coalesce("a b", %(otherwise)s)), '{}'::text[] FROM "xero_sync"."stage_tax" WHERE a = %(id)s"""
    )


def test_no_file_is_read_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """It would be a line of a command's answer. What is not a query, such as a part of one, is named with a `!`."""
    files = [file for file in sql.folder().rglob("*.sql") if file.parent.name != "schema"]
    assert files
    for file in files:
        sql.load.__wrapped__(file.relative_to(sql.folder()).with_suffix("").as_posix())
    assert caplog.messages == []


def test_every_template_is_there() -> None:
    asked = set()
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "sql.template":
                texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
                asked |= {tuple(map(str, texts))} if len(texts) == 2 else set()
    assert len(asked) > 20
    missing = [f"{name} of include/sql/{file}.sql" for file, name in asked if name not in names_in(file)]
    assert not missing


def names_in(file: str) -> list[str]:
    return re.findall(r"^-- name: (\w+)", (sql.folder() / f"{file}.sql").read_text(), re.MULTILINE)


def test_every_statement_is_run() -> None:
    """Those of `include/sql/pull` are the data sets' own, see test_contract."""
    said: set[str] = set()
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            said |= {node.attr} if isinstance(node, ast.Attribute) else set()
            said |= {str(node.value)} if isinstance(node, ast.Constant) else set()
    made = {f"{how}_{what}" for how in ("count", "prune") for what in retention.WHAT}
    files = [file for file in sql.folder().rglob("*.sql") if file.parent.name not in ("schema", "pull")]
    assert len(files) > 15
    for file in files:
        idle = set(names_in(file.relative_to(sql.folder()).with_suffix("").as_posix())) - said - made
        assert not idle, f"{file.relative_to(sql.folder().parents[1])}: nothing runs these"
