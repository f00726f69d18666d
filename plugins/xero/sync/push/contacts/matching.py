"""Which contact of Xero's a new contact of QicWorks is: certainly one, perhaps one of some, or none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

#: Words that say what a firm is, not which.
COMPANY_WORDS = frozenset(
    {"pty", "ltd", "limited", "proprietary", "inc", "co", "company", "the", "and", "atf", "trustee"}
)
MIN_TAX_DIGITS = 9  # an ACN has nine, an ABN eleven: a shorter number identifies nobody
ABN_WEIGHTS = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)


class Alike(StrEnum):
    """In what a record of Xero's is like a contact of QicWorks. Stored in xero_sync.contact_candidate."""

    OWN_NUMBER = "own number"  # QicWorks created it there
    NUMBER = "number"
    NAME = "name"
    TAX_NUMBER = "tax number"
    EMAIL = "email"
    SIMILAR_NAME = "similar name"
    MERGED_INTO_IT = "merged into it"  # one that is alike was


#: In this order one match is certain, unless something contradicts it.
CERTAIN = (Alike.NUMBER, Alike.NAME, Alike.TAX_NUMBER)


@dataclass(frozen=True)
class Wanted:
    """A new contact of QicWorks, as far as it can be recognised."""

    own_number: str
    name: str
    number: str | None = None
    tax_number: str | None = None
    email: str | None = None
    person: str | None = None  # first and last name
    city: str | None = None

    @property
    def keys(self) -> frozenset[tuple[str, str]]:
        return frozenset(_keys(self.name, self.number, self.tax_number, self.email)) | {
            ("number", folded(self.own_number))
        }


@dataclass(frozen=True)
class Known:
    """A contact of Xero's."""

    xero_id: UUID
    name: str
    number: str | None = None
    tax_number: str | None = None
    email: str | None = None
    is_active: bool = True
    merged_to: UUID | None = None
    is_taken: bool = False  # another contact of QicWorks is this one
    city: str | None = None
    is_erased: bool = False  # its personal data was erased in QicWorks

    @property
    def keys(self) -> frozenset[tuple[str, str]]:
        return frozenset(_keys(self.name, self.number, self.tax_number, self.email))


@dataclass(frozen=True)
class Candidate:
    """A contact of Xero's, and in what it is like the new one."""

    known: Known
    alike: frozenset[Alike]


@dataclass(frozen=True)
class Match:
    """What was found: one that it certainly is, or those that it may be; neither: Xero has none like it. `record`: of
    the certain one, as it was read from Xero for this."""

    certain: Known | None = None
    by: Alike | None = None
    candidates: tuple[Candidate, ...] = ()
    record: Mapping[str, Any] | None = None


def match(wanted: Wanted, known: Iterable[Known], survivors: Mapping[UUID, Known] = MappingProxyType({})) -> Match:
    """Decides by number, name, tax number and email, in this order. The order of `known` does not matter. `survivors`:
    contacts that others were merged into, by the id of the merged one."""
    found = [Candidate(one, words) for one in known if (words := alike(wanted, one))]
    candidates = tuple(sorted(found, key=lambda one: (not one.known.is_active, one.known.name, str(one.known.xero_id))))
    own = [one.known for one in candidates if Alike.OWN_NUMBER in one.alike]
    if own:
        certain = len(own) == 1 and own[0].is_active
        return (
            Match(own[0], Alike.OWN_NUMBER) if certain else Match(candidates=(*candidates, *_merged(found, survivors)))
        )
    certain_words = CERTAIN if is_valid(wanted.tax_number) else CERTAIN[:2]
    active = [one for one in candidates if one.known.is_active and one.alike.intersection(certain_words)]
    if len(active) == 1:
        [one] = active
        by = next(word for word in certain_words if word in one.alike)
        if not _contradicts(wanted, one, by):
            return Match(one.known, by)
    return Match(candidates=(*candidates, *_merged(found, survivors)))


def _merged(found: Sequence[Candidate], survivors: Mapping[UUID, Known]) -> list[Candidate]:
    """Those that these were merged into, as far as they are not among them."""
    there = {one.known.xero_id for one in found}
    into = {it.xero_id: it for one in found if (it := survivors.get(one.known.xero_id)) and it.xero_id not in there}
    alike = frozenset({Alike.MERGED_INTO_IT})
    return [Candidate(into[id], alike) for id in sorted(into, key=str)]


def alike(wanted: Wanted, known: Known) -> frozenset[Alike]:
    """In what they are alike; nothing: it is another one."""
    found: set[Alike] = set()
    number = folded(known.number)
    if number and number == folded(wanted.own_number):
        found.add(Alike.OWN_NUMBER)
    if number and number == folded(wanted.number):
        found.add(Alike.NUMBER)
    if folded(wanted.name) == folded(known.name):
        found.add(Alike.NAME)
    elif similar(wanted.name) and similar(wanted.name) == similar(known.name):
        found.add(Alike.SIMILAR_NAME)
    if (tax := tax_digits(wanted.tax_number)) and tax == tax_digits(known.tax_number):
        found.add(Alike.TAX_NUMBER)
    if (email := folded(wanted.email)) and email == folded(known.email):
        found.add(Alike.EMAIL)
    return frozenset(found)


def _contradicts(wanted: Wanted, one: Candidate, by: Alike) -> bool:
    """Whether something says that a single match is a namesake, or a number that was given away again."""
    named = bool(one.alike & {Alike.NAME, Alike.SIMILAR_NAME})
    ours, theirs = tax_digits(wanted.tax_number), tax_digits(one.known.tax_number)
    if one.known.is_erased or (ours and theirs and ours != theirs):
        return True
    if by is Alike.NUMBER:
        return not named
    # Two people may have one name; then not even the email is the same.
    is_person = bool(wanted.person) and similar(wanted.name) == similar(wanted.person or "")
    others_mail = bool(wanted.email and one.known.email) and Alike.EMAIL not in one.alike
    elsewhere = bool(wanted.city and one.known.city) and folded(wanted.city) != folded(one.known.city)
    # And QicWorks may have two of one name.
    other = (others_mail and (is_person or one.known.is_taken)) or (elsewhere and one.known.is_taken)
    return by is Alike.NAME and other and Alike.TAX_NUMBER not in one.alike


def folded(text: str | None) -> str:
    """Without regard to case, to the way that a character is composed, and to surrounding or doubled blanks."""
    composed = unicodedata.normalize("NFKC", text or "")
    return " ".join(unicodedata.normalize("NFKC", composed.casefold()).split())


def similar(name: str) -> str:
    """The words of a name in any order, without accents, punctuation and what every firm is called."""
    plain = unicodedata.normalize("NFKD", folded(name).replace("&", " and ").replace("'", "").replace("’", ""))
    words = re.findall(r"\w+", "".join(one for one in plain if not unicodedata.combining(one)))
    return " ".join(sorted(word for word in words if word not in COMPANY_WORDS))


def tax_digits(number: str | None) -> str | None:
    """The digits of an ABN or ACN; None if it cannot be one."""
    digits = "".join(re.findall(r"[0-9]", unicodedata.normalize("NFKC", number or "")))
    return digits if len(digits) >= MIN_TAX_DIGITS and len(set(digits)) > 1 else None


def is_valid(number: str | None) -> bool:
    """Whether the check digits are those of an ABN or ACN: what is typed for an unknown one identifies nobody."""
    digits = [int(one) for one in tax_digits(number) or ""]
    if len(digits) == len(ABN_WEIGHTS):
        return (_weighed(digits, ABN_WEIGHTS) - ABN_WEIGHTS[0]) % 89 == 0
    return len(digits) == 9 and (_weighed(digits, range(8, 0, -1)) + digits[8]) % 10 == 0


def _weighed(digits: Iterable[int], weights: Iterable[int]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False))


def _keys(name: str, number: str | None, tax_number: str | None, email: str | None) -> set[tuple[str, str]]:
    """What two contacts that are alike in anything share one of."""
    found = {
        ("name", folded(name)),
        ("similar", similar(name)),
        ("number", folded(number)),
        ("tax", tax_digits(tax_number) or ""),
        ("email", folded(email)),
    }
    return {key for key in found if key[1]}
