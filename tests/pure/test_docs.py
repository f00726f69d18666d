"""The documentation says what there is: links lead somewhere, commands are known, settings and messages are ours."""

import ast
import json
import re
import shlex
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from demo.place import PORTS, Place
from xero.__main__ import parser
from xero.api.settings import XeroApp
from xero.provider import get_provider_info
from xero.qicworks.admin.retention import KEPT, Retention

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "plugins/xero"
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
each = pytest.mark.parametrize("doc", DOCS, ids=[doc.name for doc in DOCS])

FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
MADE_LATER = ("benchmarks/results/", ".demo", ".venv")


@cache
def text(doc: Path) -> str:
    return doc.read_text()


@cache
def prose(doc: Path) -> str:
    """Without fenced blocks: the files that are shown there need not be here."""
    return FENCE.sub("", text(doc))


@cache
def quoted(doc: Path) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`\n]+)`", prose(doc))


@cache
def commands(doc: Path) -> list[str]:
    """Lines of shell: indented or fenced blocks, and what stands in backticks. Continued lines are joined."""
    blocks = [block for language, block in FENCE.findall(text(doc)) if language in ("", "sh")]
    indented = re.findall(r"^ {4,}(\S.*(?:\\\n.*)*)$", prose(doc), re.MULTILINE)
    lines = "\n".join([*blocks, *indented]).replace("\\\n", " ").splitlines()
    return [line.strip() for line in [*lines, *quoted(doc)]]


def table(doc: str, heading: str) -> list[list[str]]:
    """The cells of each row of the first table below that heading."""
    below = text(ROOT / doc).split(f"\n{heading}\n")[1]
    rows = re.search(r"^\|.*\n\|[-|]+\n((?:\|.*\n)+)", below, re.MULTILINE)
    assert rows, f"{doc}: no table below {heading}"
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows[1].splitlines()]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def links(doc: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose(doc))


def anchors(doc: Path) -> set[str]:
    """As GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(doc), re.MULTILINE)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def paths(doc: Path) -> list[str]:
    """Files and folders of the project that it names, from the top of the checkout or of the package."""
    tops = {path.name for top in (ROOT, PACKAGE) for path in top.iterdir() if path.is_dir()}
    tests = [word for line in commands(doc) if "pytest" in line for word in line.split() if word.startswith("tests/")]
    named = [*tests, *(name.split()[0] for name in quoted(doc))]
    return [
        path
        for path in named
        if path.partition("/")[0] in tops and not path.startswith(MADE_LATER) and not re.search(r"[<…{]", path)
    ]


def verbs(doc: Path) -> list[str]:
    """Lines that call make."""
    return [line for line in commands(doc) if re.match(r"make [a-z]", line)]


def variables(doc: Path) -> list[str]:
    found = [name for words in quoted(doc) for name in re.findall(r"\b[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+\b", words)]
    return [name for name in found if not name.startswith("AIRFLOW__")]


def test_there_is_something_to_compare() -> None:
    """A document may have no link, or name no file: the tests below would then not notice that none is found at all."""
    for find, least in ((links, 60), (paths, 90), (verbs, 40), (variables, 60)):
        assert sum(len(find(doc)) for doc in DOCS) > least, find.__name__


@each
def test_links_lead_somewhere(doc: Path) -> None:
    for link in links(doc):
        if re.match(r"https?://|mailto:", link):
            continue
        file, _, anchor = link.partition("#")
        there = (doc.parent / file).resolve() if file else doc
        assert there.exists(), f"{doc.name}: {link}: there is no {file}"
        assert not anchor or anchor in anchors(there), f"{doc.name}: {link}: {there.name} has no such heading"


def test_every_document_is_found_from_the_readme() -> None:
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in links(DOCS[0])}
    assert not {doc.name for doc in DOCS[1:] if doc not in linked}


@each
def test_files_that_are_named_are_there(doc: Path) -> None:
    for path in paths(doc):
        there = (top.glob(path.rstrip("/")) for top in (ROOT, PACKAGE))
        assert any(map(any, there)), f"{doc.name}: there is no {path}"


def test_each_module_is_described_in_its_room() -> None:
    """Below the heading of its folder in docs/architecture.md; and what is described there is there."""
    rooms_on = text(ROOT / "docs/architecture.md").split("\n## Room by room\n")[1]
    sections = re.split(r"^#+ ", rooms_on, flags=re.MULTILINE)
    rooms = {head[1]: section for section in sections if (head := re.match(r"`([\w/]+)`\n", section))}
    folders = {file.parent for file in PACKAGE.rglob("*.py")} - {PACKAGE}
    assert folders
    for folder in sorted(folders):
        room = folder.relative_to(PACKAGE).as_posix()
        assert room in rooms, f"docs/architecture.md: no heading `{room}`"
        described = set(re.findall(r"`(\w+\.py)`", rooms[room]))
        modules = {file.name for file in folder.glob("*.py")} - {"__init__.py"}
        missing = [f"{name} is not described" for name in modules - described]
        missing += [f"there is no {name}" for name in described - modules]
        assert not missing, f"docs/architecture.md, `{room}`: {', '.join(sorted(missing))}"


# Each has a plain word: no one, a user, again, next to, email, despite that, continues, no longer, is, fix, reports.
PRIVATE = re.compile(
    r"\b(?:nobody|somebody|everybody|anew|beside|e-mail|all the same|go(?:es|ing)? on|went on|any more|stands|stood|"
    r"grief|mend(?:s|ed)?|tells?|told|says|said)\b",
    re.IGNORECASE,
)


@each
def test_it_is_in_plain_words(doc: Path) -> None:
    """What is quoted is as the code has it."""
    found = [
        f"{number}: {match[0]}"
        for number, line in enumerate(prose(doc).splitlines(), 1)
        for match in PRIVATE.finditer(re.sub(r"`[^`\n]+`|(?<=\])\([^)]*\)", "", line))
    ]
    assert not found, f"{doc.name} (line without code blocks: word): {', '.join(found)}"


def test_commands_of_xero_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [(doc.name, line) for doc in DOCS for line in commands(doc)]
    call = re.compile(r"python -m xero ([^…].*?)(?: && | \| |$)")
    found = [(*at, called[1]) for at in lines if (called := call.search(at[1]))]
    assert len(found) > 40
    for doc, line, arguments in found:
        words = shlex.split(re.sub(r"[\[\]…]", " ", arguments), comments=True)
        try:
            parser().parse_args(words)
        except SystemExit:
            pytest.fail(f"{doc}: `{line}`: {capsys.readouterr().err.splitlines()[-1]}")


@each
def test_verbs_of_make_are_there(doc: Path) -> None:
    makefile = text(ROOT / "Makefile")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    given_to_make = {*PORTS, "XERO_DEMO_HOME", "PYTHON", *re.findall(r"\$[({]+([A-Z_]{3,})", makefile)}
    for line in verbs(doc):
        words = line.partition("#")[0].split()[1:]
        for word in words:
            name, given, _ = word.partition("=")
            assert name in (given_to_make if given else targets), f"{doc.name}: `{line}`: make knows no {name}"


def test_the_verbs_of_make_are_told() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*?##", text(ROOT / "Makefile"), re.MULTILINE))
    assert len(targets) > 10
    told = {word for doc in DOCS for line in commands(doc) for word in re.findall(r"^make ([a-z-]+)", line)}
    assert not targets - told


def test_the_tests_that_are_named_are_there() -> None:
    named = [(doc, *found) for doc in DOCS for found in re.findall(r"`(tests/[\w/]+\.py) -k (\w+)`", prose(doc))]
    assert named
    for doc, path, word in named:
        assert re.search(rf"def test_\w*{word}", text(ROOT / path)), f"{doc.name}: {path} has no test of {word}"


@cache
def read() -> set[str]:
    """Variables that something here reads, and constants that it defines. Nothing that a comment or a text mentions."""
    folders = (".ci", "plugins", "demo", "include", "deploy", "tests", "benchmarks")
    files = [ROOT / "conftest.py", *(path for folder in folders for path in (ROOT / folder).rglob("*.py"))]
    python = "\n".join(map(text, files))
    sql = "\n".join(text(path) for folder in folders for path in (ROOT / folder).rglob("*.sql"))
    others = text(ROOT / "Makefile") + text(ROOT / "docker-compose.yaml")
    return {
        *PORTS,
        *re.findall(r"""environ(?:\.get\(|\[|\.setdefault\()["']([A-Z_]+)["']""", python),
        *re.findall(r"""["']([A-Z_]+)["'] in os\.environ""", python),
        *re.findall(r"^ *([A-Z_]+)(?:: \S+)? = ", python, re.MULTILINE),
        *re.findall(r"""^[A-Z_]+ = "([A-Z_]+)\"""", python, re.MULTILINE),  # the name of a variable
        *re.findall(r"\$[{(]([A-Z_]+)", others),
        *re.findall(r"^\\getenv \w+ ([A-Z_]+)", sql, re.MULTILINE),
        *("AIRFLOW_HOME", "AIRFLOW_CONN_QICWORKS_DEFAULT", "AIRFLOW_CONN_XERO_DEFAULT"),  # by Airflow
        *(
            "UV_SYSTEM_CERTS",
            "PIP_CERT",
            "HTTPS_PROXY",
            "PIP_INDEX_URL",
            "UV_DEFAULT_INDEX",
            "NO_PROXY",
            "SSL_CERT_FILE",
        ),  # by what installs
    }


@each
def test_variables_that_are_named_are_read(doc: Path) -> None:
    for name in variables(doc):
        assert name in read(), f"{doc.name}: nothing here reads {name}"


def same(told: Mapping[str, str], there: Mapping[str, str], where: str) -> None:
    """What a table tells is what is there, name for name and default for default."""
    assert there
    wrong = [f"{name} is not told" for name in there.keys() - told.keys()]
    wrong += [f"{name} is not there" for name in told.keys() - there.keys()]
    wrong += [f"{name} is {there[name]}, not {told[name]}" for name in told.keys() & there if told[name] != there[name]]
    assert not wrong, f"{where}: {'; '.join(sorted(wrong))}"


def test_the_steps_of_an_installation_are_in_their_order() -> None:
    """What was missing once, and where somebody who follows the words comes to need it."""

    def below(doc: str, heading: str) -> str:
        return text(ROOT / "docs" / doc).split(f"\n{heading}\n")[1].split("\n## ")[0]

    for steps, order in (
        (
            below("deployment.md", "## Kubernetes"),
            ("CREATE ROLE qicworks_sync", "create secret", "migrate-job.yaml", "helm install"),
        ),
        (
            below("runbook.md", "## Upgrade"),
            ("dags pause", "pg_dump", "pip install", "cp dags/", "xero_plugin.py", "migrate --grant-to"),
        ),
    ):
        places = [steps.find(step) for step in order]
        assert -1 not in places, order[places.index(-1)]
        assert places == sorted(places)


def test_settings_of_xero_are_those_that_are_read() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "plugins/xero").rglob("*.py"))
    read = dict.fromkeys(re.findall(r'settings\.(?:text|number|flag)\(\s*"(\w+)"', code), "")
    assert read
    kept = {f"keep_{what}_days": f"{getattr(Retention(), what):g}" for what in KEPT}
    rows = table("docs/configuration.md", "## `[xero]` in Airflow's configuration")
    told = {names(row[0])[0]: row[3] for row in rows}
    same({name: default if name in kept else "" for name, default in told.items()}, read | kept, "configuration.md")
    pruned = {names(row[0])[0]: row[2].replace(",", "") for row in table("docs/runbook.md", "## Pruning")}
    same(pruned, kept, "runbook.md")


def test_fields_of_the_xero_connection_are_those_that_are_read() -> None:
    rows = table("docs/configuration.md", "### `xero_default`, type `xero`")
    told = {names(row[0])[0]: "" for row in rows if row[0].startswith("extra ")}
    read = re.findall(r'extra(?:\.get\(|\[)"(\w+)"', text(ROOT / "plugins/xero/api/settings.py"))
    same(told, dict.fromkeys(read, ""), "configuration.md")
    assert told.keys() >= get_provider_info()["connection-types"][0]["conn-fields"].keys()


def test_limits_of_the_xero_connection_are_those_of_the_app() -> None:
    rows = table("docs/configuration.md", "#### `limits`, for servers that are not Xero's")
    told = {names(name)[0]: default for name, _, default in rows}
    there = {one.name: one.default for one in fields(XeroApp) if re.match(r"minute_|\w+_limit$", one.name)}
    known = {name: told.get(name, "") if default is None else f"{default:g}" for name, default in there.items()}
    same(told, known, "configuration.md")


def test_variables_of_the_demo_are_those_that_are_read() -> None:
    told = {names(row[0])[0]: row[2] for row in table("docs/configuration.md", "## The demo")}
    place = Place(Path())
    ports = {variable: str(getattr(place, name)) for variable, name in PORTS.items()}
    same(told | {"XERO_DEMO_HOME": names(told["XERO_DEMO_HOME"])[0]}, ports | {"XERO_DEMO_HOME": ".demo"}, "The demo")


def test_variables_of_docker_compose_are_those_that_are_read() -> None:
    read: dict[str, str] = {}
    for name, default in re.findall(r"\$\{([A-Z_]+)(?::-([^}]*))?", text(ROOT / "docker-compose.yaml")):
        read[name] = default or read.get(name, "")
    rows = table("docs/configuration.md", "## docker-compose")
    same({names(row[0])[0]: "".join(names(row[2])) for row in rows}, read, "configuration.md, docker-compose")


def test_other_variables_are_those_that_are_read() -> None:
    told = {name for row in table("docs/configuration.md", "## Other environment variables") for name in names(row[0])}
    assert told, "no table"
    assert not told - read()
    files = [path for folder in ("plugins", "demo", "include") for path in (ROOT / folder).rglob("*.py")]
    code = "\n".join(path.read_text() for path in files)
    used = set(re.findall(r"""environ(?:\.get\(|\[|\.setdefault\()["']([A-Z_]+)["']""", code))
    assert used
    airflow_s = {"AIRFLOW_CONFIG", "AIRFLOW_HOME", "_AIRFLOW_PROCESS_CONTEXT"}
    assert not used - told - airflow_s - {"PATH", "PYTHONPATH", "XERO_DEMO_HOME"}


def test_what_is_not_a_setting_is_as_documented() -> None:
    rows = table("docs/configuration.md", "## What is not a setting")
    assert rows
    for row in rows:
        path, assignment = names(row[2])
        assert re.search(rf"^{re.escape(assignment)}(?:\s|$)", text(ROOT / path), re.MULTILINE), f"{path}: {assignment}"


GAP = re.compile(r"…|\{[\w.:]*\}|%[sdrgI]?")  # where something is put in


@cache
def said() -> set[str]:
    """Every text that the code can say. What is put in is a … there, as in the documentation."""

    def strings(tree: ast.AST) -> Iterator[str]:
        described = (
            node.body[0] for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        )
        docstrings = {id(first.value) for first in described if isinstance(first, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                yield GAP.sub("…", node.value)

    python = [*(ROOT / "plugins").rglob("*.py"), *(ROOT / "demo").glob("*.py")]
    sql = re.sub("--.*", "", "\n".join(text(path) for path in (ROOT / "include/sql").rglob("*.sql")))
    return {
        *(words for path in python for words in strings(ast.parse(text(path)))),
        *(GAP.sub("…", words.replace("''", "'")) for words in re.findall(r"'((?:[^']|'')*)'", sql)),
        *re.findall(r'echo "([^"]*)"', text(ROOT / "Makefile")),
    }


def as_pattern(words: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in words.rstrip(".").split("…")), re.DOTALL)


@cache
def said_with_gaps() -> list[re.Pattern[str]]:
    return [as_pattern(words) for words in said() if "…" in words and len(words.replace("…", "")) > 20]


def is_said(cell: str) -> bool:
    """As one text from its first word to its last. What the code puts in may be part of what the cell shows."""
    pattern = as_pattern(cell)
    return any(pattern.fullmatch(words) or pattern.fullmatch(words.strip(". \n")) for words in said()) or any(
        words.fullmatch(cell.rstrip(".")) for words in said_with_gaps()
    )


# What others say.
OF_OTHERS = {"OperationalError: …", "InsufficientPrivilege: …", "UndefinedTable: …", "DiskFull: …", "KeyError: …"}


def test_messages_that_are_explained_are_said() -> None:
    below = text(ROOT / "docs/troubleshooting.md").split("\n## error: Xero refuses access\n")[1]
    cells = re.findall(r"^\| `([^`]+)`", below, re.MULTILINE)
    assert len(cells) > 50
    unsaid = [cell for cell in cells if cell not in OF_OTHERS and not is_said(cell)]
    assert unsaid == [], "docs/troubleshooting.md: nothing says so"


def test_figures_beside_others_are_those_that_were_measured() -> None:
    runs = json.loads((ROOT / "benchmarks/results/contacts.json").read_text())["runs"]

    def measured(tool: str, what: str) -> float:
        of = [run[what] for run in runs if (run["tool"], run["size"], run["stage"]) == (tool, 50_000, "first pull")]
        return statistics.median(of)

    beside = text(ROOT / "README.md").partition("## Benchmark: compared with other tools")[2].partition("\n## ")[0]
    told = [tuple(cell.strip() for cell in row.split("|")[2:5]) for row in beside.splitlines() if row[:3] == "| t" or
            row[:3] in ("| …", "| d", "| a", "| l")]  # fmt: skip
    tools = ["this project, as workers run it", "this project, at a terminal", "dlt", "xero-python loop, page 1000",
             "tap-xero, target-postgres", "the floor"]  # fmt: skip
    assert told == [
        (f"{measured(tool, 'cpu'):.1f}", f"{measured(tool, 'calls'):.0f}", f"{measured(tool, 'received') / 1e6:.0f}")
        for tool in tools
    ]
