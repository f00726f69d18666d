"""Finds mentions of one person in free text: names are often ordinary words, or parts of other names."""

import re
from collections.abc import Iterable

ERASED = "erased"  # in place of a name that is required

# What may not be next to a name: a letter, or the other half of a double name. "Bill Smith's" is Bill Smith's.
BEFORE_NAME, AFTER_NAME = r"(?<!\w)(?<!\w[-'’.])", r"(?!\w)(?!-\w)(?!['’](?!s\b)\w)"
BEFORE_EMAIL, AFTER_EMAIL = r"(?<![\w.+%&~-])(?<!\w')", r"(?![\w-])(?!\.\w)"


class NameFinder:
    """Finds a person in free text.

    In any text: their emails; names of several words, if no one else has them; `table 'Name' is`, as names are quoted
    in `xero.documents.checks`. Other names (Bill, Will, May: any word) only in text about a document of theirs. Names
    are matched with their capitals.

    Args:
        table: The table that the person is in.
        others: Names of other persons and things of the organisation; text that names these is left as it is.
    """

    def __init__(self, table: str, names: Iterable[str], emails: Iterable[str], others: Iterable[str] = ()) -> None:
        mine = {" ".join(name.split()) for name in names} - {"", ERASED, f"{ERASED} {ERASED}"}
        near = {" ".join(name.split()) for name in others} - {""}
        longer = {other for other in near - mine if any(re.search(_name(name), other) for name in mine)}
        own = {name for name in mine - near if " " in name}
        self.names, self.emails = mine, {email.lower() for email in emails if email}
        quoted = {name for name in mine - near if name not in own}
        self._anywhere = self._compiled(
            longer, own, [rf"(?<=\b{re.escape(table)} '){_plain(one)}(?=' (?:is|was)\b)" for one in quoted]
        )
        self._theirs = self._compiled(longer, mine, [])

    def _compiled(self, kept: set[str], gone: set[str], more: Iterable[str]) -> re.Pattern[str]:
        """The pattern of all names and emails, longest first; what is to stay is in a group."""
        names = sorted(kept | gone, key=lambda name: (-len(name), name))
        emails = (rf"{BEFORE_EMAIL}(?i:{re.escape(email)}){AFTER_EMAIL}" for email in sorted(self.emails))
        parts = [
            *emails,
            *(f"({_name(name)})" if name in kept else _name(name) for name in names),
        ]
        return re.compile("|".join([*parts, *sorted(more)]) or r"(?!)")

    def without(self, text: str | None, *, theirs: bool = False) -> str | None:
        """The text without the person. `theirs`: the text is about a document of theirs."""
        if text is None:
            return None
        return (self._theirs if theirs else self._anywhere).sub(_replaced, text)

    @property
    def search_terms(self) -> list[str]:
        """Search terms: each mention by name contains at least one of them."""
        return sorted(max(name.split(), key=len) for name in self.names)


def _replaced(found: re.Match[str]) -> str:
    stays = any(value is not None for value in found.groups())
    return found[0] if stays else ERASED


def _plain(name: str) -> str:
    return r"\s+".join(map(re.escape, name.split()))


def _name(name: str) -> str:
    return BEFORE_NAME + _plain(name) + AFTER_NAME
