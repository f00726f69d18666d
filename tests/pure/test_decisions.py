"""No code decides by the words of a message: what it needs to know is an enum, a flag or a column."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "plugins" / "xero"

# Texts for people. `reason`, `error` and the like are enums here.
WORDS = {"message", "correction", "says", "explanation", "left_out", "push_error", "push_correction", "state_reason"}
ERRORS = {"error", "failure", "exception", "refusal", "trouble", "wait", "skip"}
LOOKS = {"startswith", "endswith", "find", "index", "count", "partition", "rpartition", "split"}
PATTERNS = {"match", "search", "fullmatch", "findall"}

# Xero gives some reasons in words only: its refusals are looked up there, each entry against the sandbox.
BY_XERO = {"sync/push/corrections.py"}


def is_text(node: ast.AST) -> bool:
    """Whether it is the text of a message or error, or made of one."""
    match node:
        case ast.Attribute(attr=name):
            return name in WORDS
        case ast.Subscript(slice=ast.Constant(value=name)):
            return name in WORDS
        case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id=name)]):
            return name in ERRORS
        case ast.Call(func=ast.Attribute(value=value, attr="lower" | "strip" | "casefold" | "upper")):
            return is_text(value)
        case ast.BoolOp(values=values):
            return any(map(is_text, values))
    return False


def decisions(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Compare(left=left, ops=ops, comparators=others):
                sides = [left, *others]
                is_none = any(isinstance(side, ast.Constant) and side.value is None for side in sides)
                wrong = any(map(is_text, sides)) and not is_none and not any(isinstance(op, ast.Is) for op in ops)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name), args=args):
                wrong = name in PATTERNS and any(map(is_text, args))
            case ast.Call(func=ast.Attribute(value=value, attr=name)):
                wrong = name in LOOKS and is_text(value)
            case ast.Match(subject=subject):
                wrong = is_text(subject)
            case _:
                wrong = False
        if wrong:
            yield ast.unparse(node)


def test_nothing_is_decided_by_words() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 100
    by_file = {file.relative_to(PACKAGE).as_posix(): list(decisions(file.read_text())) for file in files}
    assert {file: found for file, found in by_file.items() if found and file not in BY_XERO} == {}, (
        "make what is decided by an enum, a flag or a column; a message is for people"
    )


@pytest.mark.parametrize(
    "source",
    [
        'if "switched off" in reason.explanation: pass',
        'error.message.startswith("data set not available")',
        'failed = event["message"] == "interrupted"',
        're.search("reconnect", error.message)',
        'if str(error) == "gone": pass',
        'found = (one.correction or "").lower().find("scope")',
        "match error.message:\n    case 'x': pass",
    ],
)
def test_a_decision_by_words_is_found(source: str) -> None:
    assert list(decisions(source))


@pytest.mark.parametrize(
    "source",
    [
        "if error.message is None: pass",
        "if one.correction: pass",
        "if event.outcome is EventOutcome.BUSY: pass",
        'said = f"{error.message} Nothing was connected."',
        'if "a" in names: pass',
    ],
)
def test_what_is_no_decision_is_left_alone(source: str) -> None:
    assert not list(decisions(source))
