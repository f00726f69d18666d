"""What a user of QicWorks does when Xero refuses. The catalogue is corrections.toml, beside this file."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

Kind = Literal["reconnect", "configuration", "conflict", "user_fix", "retry"]
Function = Literal["business", "payroll", "connection"]

_GRAVEST_FIRST: tuple[Kind, ...] = ("reconnect", "configuration", "conflict", "user_fix", "retry")
_OF_THE_DOCUMENT = {"document", "number", "renumbered"}
_MAY_BE_MISSING = {"number", "renumbered"}
_PLACE = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_UNKNOWN_CAUSE = "Xero refused for a reason that is not in the catalogue."
_UNKNOWN_TEXT = "Xero's words are above; correct what they name in QicWorks or in Xero, then push again."


@dataclass(frozen=True)
class Correction:
    """Why Xero refused, and what to do. `known`: the catalogue knows all of Xero's words."""

    kind: str
    cause: str
    text: str
    known: bool


class WrongCatalogue(Exception):
    """An entry of the catalogue that cannot be used. Says which, and why."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry, as corrections.toml explains it."""

    pattern: str
    cause: str
    correction: str
    kind: Kind
    functions: tuple[Function, ...] = ("business", "payroll", "connection")
    vague: bool = False
    fails: bool = False

    def found_in(self, words: str) -> re.Match[str] | None:
        return re.search(self.pattern, " ".join(words.split()), re.IGNORECASE)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    correction: tuple[Entry, ...]


def correct(messages: Sequence[str], *, document: str, number: str | None, function: str) -> Correction:
    """The corrections of all that Xero said, the most specific first; `document` is "invoice INV-001"."""
    entries = [entry for entry in catalogue() if function in entry.functions]
    found: list[tuple[int, Entry, re.Match[str]]] = []
    unknown = False
    for words in dict.fromkeys(one.strip() for one in messages if one.strip()):
        matches = ((rank, entry, entry.found_in(words)) for rank, entry in enumerate(entries))
        first = next(((rank, entry, match) for rank, entry, match in matches if match), None)
        if first:
            found.append(first)
        else:
            unknown = True
    if not found:
        return Correction("user_fix", _UNKNOWN_CAUSE, _UNKNOWN_TEXT, known=False)

    found.sort(key=lambda one: one[0])
    spoken = [one for one in found if not one[1].vague] or found[:1]
    values = {"document": document, "number": number, "renumbered": number and renumbered(number)}
    causes = [_filled(entry.cause, values | _groups(match)) for _, entry, match in spoken]
    texts = [_filled(entry.correction, values | _groups(match)) for _, entry, match in spoken]
    kinds: list[Kind] = [entry.kind for _, entry, _ in spoken]
    if unknown:
        causes, texts, kinds = [*causes, _UNKNOWN_CAUSE], [*texts, _UNKNOWN_TEXT], [*kinds, "user_fix"]
    return Correction(min(kinds, key=_GRAVEST_FIRST.index), _joined(causes), _joined(texts), known=not unknown)


def is_failure(warning: str) -> bool:
    """Whether this warning of Xero says that it dropped something. One that is not known does not."""
    return any(entry.fails and entry.found_in(warning) for entry in catalogue())


def renumbered(number: str) -> str:
    """The number with the next letter: INV-001, INV-001A, INV-001B."""
    number = number.rstrip()
    suffixed = re.search(r"(?<=[0-9])[A-Ya-y]$", number)
    return f"{number[:-1]}{chr(ord(suffixed[0]) + 1)}" if suffixed else f"{number}A"


@functools.cache
def catalogue() -> tuple[Entry, ...]:
    """All entries, the specific before the general."""
    return read(Path(__file__).with_name("corrections.toml").read_text(encoding="utf-8"))


def read(toml: str) -> tuple[Entry, ...]:
    """The entries of a catalogue. Raises WrongCatalogue."""
    try:
        entries = msgspec.toml.decode(toml, type=_File).correction
    except msgspec.MsgspecError as error:
        raise WrongCatalogue(f"corrections.toml: {error}") from error
    for position, entry in enumerate(entries, 1):
        if wrong := _wrong(entry):
            raise WrongCatalogue(f"corrections.toml, entry {position}, pattern {entry.pattern!r}: {wrong}")
    return entries


def _wrong(entry: Entry) -> str | None:
    """What makes this entry unusable."""
    try:
        pattern = re.compile(entry.pattern, re.IGNORECASE)
    except re.error as error:
        return f"no regular expression: {error}"
    if not entry.pattern or pattern.search(""):
        return "it is found in any words"
    if taken := _OF_THE_DOCUMENT & set(pattern.groupindex):
        return f"a group may not be called {', '.join(sorted(taken))}"
    known = _OF_THE_DOCUMENT | set(pattern.groupindex) | {str(group) for group in range(1, pattern.groups + 1)}
    for template in (entry.cause, entry.correction):
        if not template.strip():
            return "the cause or the correction is empty"
        if strange := set(_PLACE.findall(template)) - known:
            return f"unknown placeholder: {', '.join(sorted(strange))}"
        outside = _OPTIONAL.sub("", template)
        if missing := set(_PLACE.findall(outside)) & _MAY_BE_MISSING:
            return f"a document may have no number: put {', '.join(sorted(missing))} in [brackets]"
        if re.search(r"[{}\[\]]", _PLACE.sub("", _OPTIONAL.sub(r"\1", template))):
            return "a brace or bracket without its partner"
    return None


def _groups(match: re.Match[str]) -> dict[str, str | None]:
    """What the pattern's groups found, by position and by name."""
    return {str(position): value for position, value in enumerate(match.groups(), 1)} | match.groupdict()


def _filled(template: str, values: Mapping[str, str | None]) -> str:
    """The template with its values, which are put in once: whatever braces or brackets they hold stay as they are."""

    def kept(part: re.Match[str]) -> str:
        return part[1] if all(values.get(name) for name in _PLACE.findall(part[1])) else ""

    return _PLACE.sub(lambda place: values.get(place[1]) or "…", _OPTIONAL.sub(kept, template))


def _joined(sentences: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(sentences))
