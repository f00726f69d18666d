"""A member of staff or an employee, and in what two of them are alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from uuid import UUID

#: What stands before the @ of an email that several people read. Also in sql/pull/staff.sql.
# fmt: off
OFFICES = frozenset((
    "account", "accounts", "admin", "administration", "bookings", "contact", "enquiries", "finance", "hello", "hr",
    "info", "jobs", "mail", "office", "pay", "payroll", "reception", "sales", "service", "staff", "team", "wages",
    "work",
))
# fmt: on
MIN_TYPO_LETTERS = 4  # a shorter name with one other letter is another name

#: Names of one person, each in one line.
NICKNAMES = tuple(
    frozenset(line.split())
    for line in """
    alexander alex sandy xander
    alexandra alex sandra
    andrew andy drew
    anthony tony ant
    benjamin ben benny
    catherine katherine kathryn cath cathy kate katie kathy
    christopher chris
    christine christina chris tina
    daniel dan danny
    david dave davo
    edward ed eddie ted
    elizabeth liz lizzie beth betty eliza
    gregory greg
    james jim jimmy jamie
    jennifer jen jenny
    jonathan jon jonno
    john johnny jack
    joseph joe joey
    joshua josh
    kenneth ken kenny
    margaret maggie meg peggy
    matthew matt
    michael mick mike mitch
    michelle shelly
    nicholas nick nico
    patricia pat patty trish
    patrick pat paddy
    peter pete
    philip phillip phil
    rebecca bec becky
    richard rick ricky dick
    robert rob bob bobby robbie
    ronald ron ronny
    samantha sam
    samuel sam sammy
    stephen steven steve
    susan sue suzie
    terence terry
    thomas tom tommy
    timothy tim
    victoria vicky tori
    william bill billy will
    """.strip().splitlines()
)


class Alike(StrEnum):
    """In what a member and an employee are alike, or differ. Stored in xero_sync.link_candidate."""

    NAME = "name"
    SPELLING = "spelling"  # the same name apart from accents, hyphens and the like
    SWAPPED = "swapped"
    MIDDLE_NAME = "middle name"
    NICKNAME = "nickname"
    TYPO = "typo"
    FIRST_NAME = "first name"
    EMAIL = "email"
    NO_EMAIL = "no email"
    OTHER_EMAIL = "other email"
    SHARED_EMAIL = "shared email"  # an office's or a family's, on either side: it says nothing of who is who
    START_DATE = "start date"
    OTHER_START_DATE = "other start date"


#: Ways to write one and the same name.
SAME_NAME = frozenset({Alike.NAME, Alike.SPELLING, Alike.SWAPPED, Alike.MIDDLE_NAME})
LIKE_NAME = SAME_NAME | {Alike.NICKNAME, Alike.TYPO}


@dataclass(frozen=True)
class Person:
    """A member of staff, or an employee. `linked`: to one of the other side already. `has_row`: this employee is in
    QicWorks already, as somebody whom a pull created."""

    id: UUID
    first_name: str
    last_name: str
    emails: frozenset[str] = frozenset()
    start_date: date | None = None
    is_active: bool = True
    linked: bool = False
    has_row: bool = False

    @property
    def keys(self) -> set[str]:
        """Two persons who are alike in anything share one of these."""
        words = self.first + self.last
        return {*self.folded, "".join(self.first), "".join(self.last), *words[:1], *words[-1:], *self.mails} - {""}

    @cached_property
    def folded(self) -> tuple[str, str]:
        return folded(self.first_name), folded(self.last_name)

    @cached_property
    def first(self) -> list[str]:
        return _words(self.first_name)

    @cached_property
    def last(self) -> list[str]:
        return _words(self.last_name)

    @cached_property
    def mails(self) -> frozenset[str]:
        return frozenset(mail for one in self.emails if (mail := folded(one)))


def is_office(mail: str) -> bool:
    """Whether it is an office's, such as accounts2@firm.example."""
    return re.sub(r"[^a-z]*$", "", mail.partition("@")[0]) in OFFICES


def alike(member: Person, employee: Person, shared: frozenset[str] = frozenset()) -> frozenset[Alike]:
    """In what they are alike, and what contradicts; nothing: two different persons.

    Args:
        shared: Emails of several people.
    """
    name = name_alike(member, employee)
    own, others = member.mails - shared, employee.mails - shared
    same_mail = bool(own & others)
    same_start = member.start_date is not None and member.start_date == employee.start_date
    is_hinted = bool(member.mails & employee.mails) or same_start
    if (name is None and not same_mail) or (name is Alike.FIRST_NAME and not is_hinted):
        return frozenset()
    found = {name} if name else set()
    if same_mail:
        found.add(Alike.EMAIL)
    elif own and others:
        found.add(Alike.OTHER_EMAIL)
    else:
        found.add(Alike.SHARED_EMAIL if (member.mails | employee.mails) & shared else Alike.NO_EMAIL)
    if same_start:
        found.add(Alike.START_DATE)
    elif member.start_date and employee.start_date:
        found.add(Alike.OTHER_START_DATE)
    return frozenset(found)


def name_alike(one: Person, other: Person) -> Alike | None:
    """In what their names are alike, or None."""
    if one.folded == other.folded:
        return Alike.NAME if any(one.folded) else None
    first, last = "".join(one.first), "".join(one.last)
    others_first, others_last = "".join(other.first), "".join(other.last)
    if not (first or last) or not (others_first or others_last):
        return None
    if (first, last) == (others_first, others_last):
        return Alike.SPELLING
    if (first, last) == (others_last, others_first):
        return Alike.SWAPPED
    if _is_without_middle(one.first + one.last, other.first + other.last):
        return Alike.MIDDLE_NAME
    if last == others_last:
        if one.first and other.first and _is_nickname(one.first[0], other.first[0]):
            return Alike.NICKNAME
        return Alike.TYPO if _is_slip(first, others_first) else None
    if first == others_first:
        return Alike.TYPO if _is_slip(last, others_last) else Alike.FIRST_NAME
    return None


def _is_without_middle(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether one is the other with further names between the first and the last."""
    few, many = sorted((one, other), key=len)
    if not 2 <= len(few) < len(many) or (few[0], few[-1]) != (many[0], many[-1]):
        return False
    rest = iter(many)
    return all(word in rest for word in few)


def _is_nickname(one: str, other: str) -> bool:
    if one == other:
        return False
    initial = min(one, other, key=len)
    if len(initial) == 1:
        return one[0] == other[0]
    return any({one, other} <= names for names in NICKNAMES)


def _is_slip(one: str, other: str) -> bool:
    """Whether one letter is wrong, missing or too much, or two beside each other have changed places."""
    short, long = sorted((one, other), key=len)
    if len(short) < MIN_TYPO_LETTERS or len(long) - len(short) > 1 or short == long:
        return False
    at = next((at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    swapped = short[at : at + 2] == long[at : at + 2][::-1]
    return short[at + 1 :] == long[at + 1 :] or (swapped and short[at + 2 :] == long[at + 2 :])


def folded(text: str | None) -> str:
    """Without regard to case, to the way that a character is composed, and to surrounding or doubled blanks."""
    composed = unicodedata.normalize("NFKC", text or "")
    return " ".join(unicodedata.normalize("NFKC", composed.casefold()).split())


def _words(name: str) -> list[str]:
    """The words of a name, without accents and punctuation."""
    plain = unicodedata.normalize("NFKD", folded(name).replace("'", "").replace("’", "").replace("-", ""))
    return re.findall(r"\w+", "".join(one for one in plain if not unicodedata.combining(one)))
