"""Turns Xero's error messages into instructions for users of QicWorks. The entries are in corrections.toml."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from xero.datasets.registry import DATASETS
from xero.documents.declaration import Then

Kind = Literal["reconnect", "configuration", "conflict", "user_fix", "retry"]
Function = Literal["business", "contacts", "payroll", "connection"]

_GRAVEST_FIRST: tuple[Kind, ...] = ("reconnect", "configuration", "conflict", "user_fix", "retry")
_OF_THE_DOCUMENT = {"document", "number", "renumbered"}
_MAY_BE_MISSING = {"number", "renumbered"}
_PLACE = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_UNKNOWN_CAUSE = "Xero refused the document. QicWorks has no instructions for this message yet."
_UNKNOWN_TEXT = (
    "QicWorks has no instructions for this message of Xero yet. Correct what the message names, in QicWorks or in Xero."
)

# How to push again afterwards. A draft is not pushed, and an edit leaves a draft a draft; a document that failed is not
# pushed again by itself.
ENDINGS: dict[Then, str] = {
    "release": "Then release it. It is pushed within 15 minutes, or press Push now.",
    "approve": "Then approve it in QicWorks. It is pushed within 15 minutes, or press Push now.",
    "either": "If you changed it, release it: it is pushed within 15 minutes. "
    "If not, open it under Xero › Documents and press Retry.",
    "retry": "Then open it under Xero › Documents and press Retry.",
}
SUPPORT = (
    "If it is refused again, enter it by hand in Xero, set it to Skipped in QicWorks and contact QicWorks support."
)
PULLS = {
    f"pull_{name}": f"Xero › Connections › Synchronise, tick {dataset.title}, press Pull"
    for name, dataset in DATASETS.items()
}


@dataclass(frozen=True)
class Correction:
    """Why Xero refused, and what to do. `known`: every message of Xero matched an entry."""

    kind: str
    cause: str
    text: str
    known: bool


class WrongCatalogue(Exception):
    """Raised for an entry that cannot be used; the message names the entry and the reason."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry; corrections.toml explains the fields."""

    pattern: str
    cause: str
    correction: str
    kind: Kind
    then: Then | None = None
    support: bool = False
    functions: tuple[Function, ...] = ("business", "contacts", "payroll", "connection")
    vague: bool = False
    fails: bool = False

    def search(self, message: str) -> re.Match[str] | None:
        return re.search(self.pattern, " ".join(message.split()), re.IGNORECASE)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    correction: tuple[Entry, ...]


def correct(messages: Sequence[str], *, document: str, number: str | None, function: str) -> Correction:
    """Combines the corrections for all of Xero's messages, the most specific first.

    How to push again comes once, at the end. `document` is "invoice INV-001".
    """
    entries = [entry for entry in catalogue() if function in entry.functions]
    found: list[tuple[int, Entry, re.Match[str]]] = []
    unknown = False
    for message in dict.fromkeys(one.strip() for one in messages if one.strip()):
        matches = ((rank, entry, entry.search(message)) for rank, entry in enumerate(entries))
        first = next(((rank, entry, match) for rank, entry, match in matches if match), None)
        if first:
            found.append(first)
        else:
            unknown = True
    if not found:
        return Correction("user_fix", _UNKNOWN_CAUSE, _joined([_UNKNOWN_TEXT, ENDINGS["either"], SUPPORT]), known=False)

    found.sort(key=lambda one: one[0])
    specific = [one for one in found if not one[1].vague] or found[:1]
    values = {**PULLS, "document": document, "number": number, "renumbered": number and renumbered(number)}
    causes = [_filled(entry.cause, values | _groups(match)) for _, entry, match in specific]
    texts = [_filled(entry.correction, values | _groups(match)) for _, entry, match in specific]
    kinds: list[Kind] = [entry.kind for _, entry, _ in specific]
    steps = {entry.then for _, entry, _ in specific}
    support = unknown or any(entry.support for _, entry, _ in specific)
    if unknown:
        causes, texts, kinds = [*causes, _UNKNOWN_CAUSE], [*texts, _UNKNOWN_TEXT], [*kinds, "user_fix"]
        steps.add("either")
    text = _joined([*texts, *_ending(steps), *([SUPPORT] if support else [])])
    return Correction(min(kinds, key=_GRAVEST_FIRST.index), _joined(causes), text, known=not unknown)


def instruct(texts: Iterable[str], steps: set[Then | None], document: str) -> str:
    """Corrections of our own checks, in one text, with how to push again once at the end."""
    values = {**PULLS, "document": document}
    return _joined([*(_filled(text, values) for text in texts), *_ending(steps)])


def _ending(steps: set[Then | None]) -> list[str]:
    """How to push again after all corrections: a document that must be released needs nothing else."""
    return next(([text] for step, text in ENDINGS.items() if step in steps), [])


def is_failure(warning: str) -> bool:
    """True if this warning means that Xero removed something. A warning without an entry does not."""
    return any(entry.fails and entry.search(warning) for entry in catalogue())


def renumbered(number: str) -> str:
    """The number with the next letter: INV-001, INV-001A, INV-001B."""
    number = number.rstrip()
    suffixed = re.search(r"(?<=[0-9])[A-Ya-y]$", number)
    return f"{number[:-1]}{chr(ord(suffixed[0]) + 1)}" if suffixed else f"{number}A"


@functools.cache
def catalogue() -> tuple[Entry, ...]:
    """All entries, specific ones before general ones."""
    return read(Path(__file__).with_name("corrections.toml").read_text(encoding="utf-8"))


def read(toml: str) -> tuple[Entry, ...]:
    """Parses and checks a catalogue. Raises WrongCatalogue."""
    try:
        entries = msgspec.toml.decode(toml, type=_File).correction
    except msgspec.MsgspecError as error:
        raise WrongCatalogue(f"corrections.toml: {error}") from error
    for position, entry in enumerate(entries, 1):
        if wrong := _wrong(entry):
            raise WrongCatalogue(f"corrections.toml, entry {position}, pattern {entry.pattern!r}: {wrong}")
    return entries


def _wrong(entry: Entry) -> str | None:
    """Why this entry cannot be used; None if it can."""
    try:
        pattern = re.compile(entry.pattern, re.IGNORECASE)
    except re.error as error:
        return f"not a regular expression: {error}"
    if not entry.pattern or pattern.search(""):
        return "it matches every message"
    if taken := (_OF_THE_DOCUMENT | PULLS.keys()) & set(pattern.groupindex):
        return f"a group may not be called {', '.join(sorted(taken))}"
    known = (
        _OF_THE_DOCUMENT
        | PULLS.keys()
        | set(pattern.groupindex)
        | {str(group) for group in range(1, pattern.groups + 1)}
    )
    for template in (entry.cause, entry.correction):
        if not template.strip():
            return "the cause or the correction is empty"
        if strange := set(_PLACE.findall(template)) - known:
            return f"unknown placeholder: {', '.join(sorted(strange))}"
        outside = _OPTIONAL.sub("", template)
        if missing := set(_PLACE.findall(outside)) & _MAY_BE_MISSING:
            return f"a document may have no number: put {', '.join(sorted(missing))} in [brackets]"
        if re.search(r"[{}\[\]]", _PLACE.sub("", _OPTIONAL.sub(r"\1", template))):
            return "an unmatched brace or bracket"
    return None


def _groups(match: re.Match[str]) -> dict[str, str | None]:
    """The values of the pattern's groups, by position and by name."""
    return {str(position): value for position, value in enumerate(match.groups(), 1)} | match.groupdict()


def _filled(template: str, values: Mapping[str, str | None]) -> str:
    """Fills in the template. Values are inserted once: braces and brackets inside a value stay as they are."""

    def kept(part: re.Match[str]) -> str:
        return part[1] if all(values.get(name) for name in _PLACE.findall(part[1])) else ""

    return _PLACE.sub(lambda place: values.get(place[1]) or "…", _OPTIONAL.sub(kept, template))


def _joined(sentences: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(sentences))
