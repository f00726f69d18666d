"""Texts on their way into a column: PostgreSQL can store and a page can show whatever Xero put into them."""

import hashlib
import re
from typing import overload

LONGEST = 8000  # characters
FORMULA = re.compile(r"[\s\ufeff\u200b]*[=+\-@＝＋－＠]|[\t\r\n]")
NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]+")


def on_a_line(words: str) -> str:
    """The same, with a blank for each character that cannot be printed: who writes a name writes no line of a log."""
    return "".join(character if character.isprintable() else " " for character in words).strip()


@overload
def fit(words: str, longest: int = ...) -> str: ...
@overload
def fit(words: None, longest: int = ...) -> None: ...
@overload
def fit(words: str | None, longest: int = ...) -> str | None: ...
def fit(words: str | None, longest: int = LONGEST) -> str | None:
    """The same without control characters and halves of characters, and not longer than that."""
    if words is None:
        return None
    cleaned = UNFIT.sub(" ", words)
    return cleaned if len(cleaned) <= longest else cleaned[: longest - 1] + "…"


def marked(words: str, whole: str, longest: int) -> str:
    """Words that fit, and a hash of the whole text that they are of: two texts are not the same because both were
    cut."""
    mark = f" #{hashlib.sha256(whole.encode(errors='surrogatepass')).hexdigest()[:10]}"
    return fit(words, longest - len(mark)) + mark


def for_a_spreadsheet(value: object) -> object:
    """The same; a text that a spreadsheet would run as a formula begins with an apostrophe. Numbers stay numbers."""
    is_formula = isinstance(value, str) and FORMULA.match(value) and not NUMBER.fullmatch(value)
    return f"'{value}" if is_formula else value
