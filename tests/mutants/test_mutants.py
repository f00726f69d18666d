"""The tool itself: which changes it makes, that none is made twice, and that its lists speak of what is there."""

import tomllib
from pathlib import Path

import pytest

from tests.mutants import judging
from tests.mutants.judging import EXPLAINED, Verdict, explained
from tests.mutants.making import Mutant, mutants_of
from tests.mutants.trying import ROOT, Attempt

MODULES = tomllib.loads(Path(__file__).with_name("modules.toml").read_text())


def changes(source: str) -> list[str]:
    """Of each mutant the lines that are new, in the order of the operators."""
    return sorted(mutant.now for mutant in mutants_of(source + "\n"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", ["x = a <= b", "x = a >= b"]),
        ("x = a == b", ["x = a != b"]),
        ("x = a in b", ["x = a not in b"]),
        ("x = a not in b", ["x = a in b"]),
        ("x = a if b or c else d", ["x = a if b and c else d", "x = a if not (b or c) else d"]),
        ("x = a if not b else d", ["x = a if b else d"]),
        ("x = [a for a in b if (c := a)]", ["x = [a for a in b if not ((c := a))]"]),
        ("x = f(a, b=1)", ["x = f(a, b= 0)", "x = f(a, b= 2)", "x = f(a,)"]),
        ("x = f(b=a)", ["x = f()"]),
        ("x = f(**a)", []),
        ("x = 2 * a", ["x = 1 * a", "x = 2 / a", "x = 3 * a"]),
        ("def f(*, a): return a", ["def f(*, a): pass"]),
        ("def f(a):\n    a = g(a)\n    b = a\n    self.c = b", ["pass", "pass"]),  # b is made there, a and c are not
        ("def f():\n    log.info(a)\n    log2(a)", ["pass"]),
        ("def f():\n    '''Says what it does.'''\n    raise E", ["pass"]),
        ("try:\n    f()\nexcept (A, b.C):\n    g()", ["except ( RecursionError, b.C):", "except (A, RecursionError):"]),
        ("try:\n    f()\nexcept b.C as e:\n    g()", ["except RecursionError as e:"]),
        ("@dataclass(frozen=True, slots=True)\nclass A: pass", [""]),
        ("x = zip(a, b, strict=True)", []),
        ("x = f(a, repr=False)", ["x = f(a, repr=True)", "x = f(a,)"]),
    ],
)  # fmt: skip
def test_the_changes_that_are_made(source: str, expected: list[str]) -> None:
    assert changes(source) == sorted(expected)


def test_a_mutant_is_known_by_its_place_and_its_words() -> None:
    source = "import a\n\n\nclass B:\n    def c(self):\n        return f(\n            1,\n        )\n"
    one = next(mutant for mutant in mutants_of(source) if "2" in mutant.now)
    assert (one.name, one.line) == (("c", "return f( 1,", "return f( 2,"), 7)
    moved = next(mutant for mutant in mutants_of(f"\n\n{source}") if "2" in mutant.now)
    assert (moved.name, moved.line) == (one.name, 9)


def attempt(now: str, code: int | None) -> Attempt:
    return Attempt(Mutant("", "", "f", 1, "a", now), code)


def test_what_is_not_explained_and_what_is_explained_and_killed() -> None:
    known = {("f", "a", "explained"): "why", ("f", "a", "killed"): "why", ("f", "a", "not made"): "why"}
    tried = [attempt("explained", 0), attempt("killed", 1), attempt("new", 0), attempt("broken", 4), attempt("x", -24)]
    verdict = Verdict("api/paging", 5, [*tried, attempt("y", None)][:5], 1.0, known)
    assert [one.mutant.now for one in verdict.unexplained] == ["new"]
    assert [now for _, _, now in verdict.stale] == ["killed", "not made"]
    assert (
        "5 of 5 mutants, 3 killed (1 by the time they took), 1 survived as explained, 1 survived" in verdict.lines()[0]
    )
    sampled = Verdict("api/paging", 9, tried, 1.0, known)
    assert [now for _, _, now in sampled.stale] == ["killed"], "what was not tried may survive"
    assert attempt("y", None).outcome == "timed out"
    assert verdict.row().endswith("| 5 | 5 | 3 | 1 | 1 | 1 |")


def test_a_module_has_one_row_in_the_table_of_the_results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    results = tmp_path / "results.md"
    monkeypatch.setattr(judging, "RESULTS", results)
    results.write_text("# Mutants\n\n| module | day |\n|---|---|\n\nWhat was run.\n")
    first, second = (Verdict(module, 1, [attempt("x", 1)], 1.0, {}) for module in ("api/limits", "api/errors"))
    again = Verdict("api/limits", 2, [attempt("x", 1), attempt("y", 0)], 1.0, {})
    for verdict in (first, second, again):
        judging.keep(verdict)
    table = f"| module | day |\n|---|---|\n{again.row()}\n{second.row()}\n"
    assert results.read_text() == f"# Mutants\n\n{table}\nWhat was run.\n"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_and_its_tests_are_there(module: str) -> None:
    assert (ROOT / "plugins" / "xero" / f"{module}.py").is_file()
    tests = [test for test in MODULES[module]["tests"] if test.endswith(".py")]
    assert tests
    assert all((ROOT / test).is_file() for test in tests)


def test_what_is_explained_is_still_written_like_that() -> None:
    listed = explained()
    assert listed.keys() <= MODULES.keys()
    for module, names in listed.items():
        source = " ".join((ROOT / "plugins" / "xero" / f"{module}.py").read_text().split())
        for within, was, _ in names:
            assert was in source, f"{EXPLAINED.name}: {module} has no such line any more in {within}: {was}"
        assert all(names.values()), "each has a reason"
