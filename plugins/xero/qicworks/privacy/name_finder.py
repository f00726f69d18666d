"""Where a text names a person, and nobody else: names are often words that mean something else, or parts of others'."""

import re
from collections.abc import Iterable

ERASED = "erased"  # where a name has to stand

# What may not stand beside a name: a letter, or a double name's other half. "Bill Smith's" is Bill Smith's.
BEFORE_NAME, AFTER_NAME = r"(?<!\w)(?<!\w[-'’.])", r"(?!\w)(?!-\w)(?!['’](?!s\b)\w)"
BEFORE_EMAIL, AFTER_EMAIL = r"(?<![\w.+%&~-])(?<!\w')", r"(?![\w-])(?!\.\w)"


class Wording:
    """Finds a person in words.

    Everywhere: their e-mails; names of several words, if nobody else has them; `table 'Name' is`, as names are quoted
    in `xero.documents.checks`. Other names (Bill, Will, May: any word) only in words about a document of theirs.
    Capitals count, in names. `others`: names of whom and what else is near; what names these is left alone.
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
        """Longest first, in a group what stays."""
        names = sorted(kept | gone, key=lambda name: (-len(name), name))
        emails = (rf"{BEFORE_EMAIL}(?i:{re.escape(email)}){AFTER_EMAIL}" for email in sorted(self.emails))
        parts = [
            *emails,
            *(f"({_name(name)})" if name in kept else _name(name) for name in names),
        ]
        return re.compile("|".join([*parts, *sorted(more)]) or r"(?!)")

    def without(self, text: str | None, *, theirs: bool = False) -> str | None:
        """The text without them. `theirs`: it is about a document of theirs."""
        if text is None:
            return None
        return (self._theirs if theirs else self._anywhere).sub(_replaced, text)

    @property
    def needles(self) -> list[str]:
        """One word of each name: who is named in a text has one of them in it."""
        return sorted(max(name.split(), key=len) for name in self.names)


def _replaced(found: re.Match[str]) -> str:
    stays = any(value is not None for value in found.groups())
    return found[0] if stays else ERASED


def _plain(name: str) -> str:
    return r"\s+".join(map(re.escape, name.split()))


def _name(name: str) -> str:
    return BEFORE_NAME + _plain(name) + AFTER_NAME
