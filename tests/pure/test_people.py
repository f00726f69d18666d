"""Which member of staff an employee is: case by case, and what holds for all."""

import re
from dataclasses import replace
from datetime import date
from itertools import permutations
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from xero.documents import leave_requests, payroll
from xero.qicworks import sql
from xero.sync.pull.people import pairs
from xero.sync.pull.person import OFFICES, Alike, Person, alike, is_office

DAY, LATER = date(2021, 3, 1), date(2025, 6, 2)


def person(
    number: int, first: str, last: str, email: str | None = None, start: date | None = None, **more: object
) -> Person:
    return replace(Person(UUID(int=number), first, last, frozenset({email} - {None}), start), **more)


M = person(1, "John", "Smith", "john@x.example", DAY)
OTHER = person(2, "John", "Smith", "js@x.example", LATER)
E = person(11, "John", "Smith", "john@x.example", DAY)

#: The rest of the firm: start dates tell people apart in it.
CROWD = [
    replace(Person(UUID(int=100 + at), f"Worker{at}", f"Of{at}"), start_date=date(2019, 1 + at, 3)) for at in range(6)
]

#: What the case is, QicWorks' staff, Xero's employees, pairs that are certain, pairs about which a user is asked.
CASES: list[tuple[str, list[Person], list[Person], set[tuple[int, int]], set[tuple[int, int]]]] = [
    ("nobody", [], [], set(), set()),
    ("strangers", [M], [person(11, "Mary", "Jones", "m@x.example", DAY)], set(), set()),
    ("the same", [M], [E], {(1, 11)}, set()),
    ("case and blanks", [M], [person(11, " JOHN ", "smith", "John@X.example ")], {(1, 11)}, set()),
    ("name and email, another start", [M], [replace(E, start_date=LATER)], set(), {(1, 11)}),
    ("no email there, same start", [M], [replace(E, emails=frozenset())], {(1, 11)}, set()),
    ("another email, same start", [M], [replace(E, emails=frozenset({"new@x.example"}))], {(1, 11)}, set()),
    ("no email, no start", [M], [person(11, "John", "Smith")], set(), {(1, 11)}),
    ("another email, no start", [M], [person(11, "John", "Smith", "j@y.example")], set(), {(1, 11)}),
    ("namesakes, each with an email", [M, OTHER], [E, replace(OTHER, id=UUID(int=12))], {(1, 11), (2, 12)}, set()),
    (
        "namesakes, one without email",
        [M, OTHER],
        [E, person(12, "John", "Smith", None, LATER)],
        {(1, 11), (2, 12)},
        set(),
    ),
    (
        "namesakes, one with another email",
        [M, OTHER],
        [E, person(12, "John", "Smith", "new@x.example", LATER)],
        {(1, 11)},
        {(2, 12)},
    ),
    ("two members of a key", [M, replace(M, id=UUID(int=2))], [E], set(), {(1, 11), (2, 11)}),
    ("two employees of a key", [M], [E, replace(E, id=UUID(int=12))], set(), {(1, 11), (1, 12)}),
    ("swapped, same email", [M], [person(11, "Smith", "John", "john@x.example")], set(), {(1, 11)}),
    ("swapped, same start", [M], [person(11, "Smith", "John", None, DAY)], set(), {(1, 11)}),
    ("swapped, email, start", [M], [person(11, "Smith", "John", "john@x.example", DAY)], {(1, 11)}, set()),
    ("middle name, no start", [M], [person(11, "John Paul", "Smith", "john@x.example")], set(), {(1, 11)}),
    ("middle name", [M], [person(11, "John Paul", "Smith", "john@x.example", DAY)], {(1, 11)}, set()),
    ("middle name in the last", [M], [person(11, "John", "van Smith", None, DAY)], set(), {(1, 11)}),
    ("middle name, another start", [M], [person(11, "John Paul", "Smith", "john@x.example", LATER)], set(), {(1, 11)}),
    ("nickname, email, start", [M], [person(11, "Jack", "Smith", "john@x.example", DAY)], {(1, 11)}, set()),
    ("nickname, email", [M], [person(11, "Jack", "Smith", "john@x.example")], set(), {(1, 11)}),
    ("nickname, start", [M], [person(11, "Jack", "Smith", None, DAY)], set(), {(1, 11)}),
    ("typo, email, start", [M], [person(11, "John", "Smiht", "john@x.example", DAY)], {(1, 11)}, set()),
    ("typo, email", [M], [person(11, "John", "Smyth", "john@x.example")], set(), {(1, 11)}),
    ("married, email, start", [M], [person(11, "John", "Jones", "john@x.example", DAY)], {(1, 11)}, set()),
    ("married, email", [M], [person(11, "John", "Jones", "john@x.example")], set(), {(1, 11)}),
    ("married, start", [M], [person(11, "John", "Jones", None, DAY)], set(), {(1, 11)}),
    ("first name alone", [M], [person(11, "John", "Jones", "jj@x.example")], set(), set()),
    ("email alone", [M], [person(11, "Mary", "Brown", "john@x.example", DAY)], set(), {(1, 11)}),
    (
        "an email of two",
        [person(1, "John P", "Smith", "office@x.example"), person(2, "Ann", "Lee", "office@x.example")],
        [person(11, "John", "Smith", "office@x.example")],
        set(),
        {(1, 11)},
    ),
    (
        "an email of a family",
        [person(1, "John", "Smith", "smiths@x.example"), person(2, "Mary", "Smith", "smiths@x.example")],
        [person(11, "John", "Smith", "smiths@x.example")],
        set(),
        {(1, 11)},
    ),
    ("left QicWorks, works in Xero", [replace(M, is_active=False)], [E], set(), {(1, 11)}),
    (
        "an email and no names",
        [person(1, "", "", "j@x.example")],
        [person(11, "", "", "j@x.example")],
        set(),
        {(1, 11)},
    ),
    (
        "hired again",
        [M],
        [replace(E, is_active=False), replace(E, id=UUID(int=12), start_date=LATER)],
        {(1, 12)},
        set(),
    ),
    ("left", [M], [replace(E, is_active=False)], {(1, 11)}, set()),
    (
        "hired again with another email",
        [M],
        [replace(E, is_active=False), person(12, "John", "Smith", "new@x.example", LATER)],
        set(),
        {(1, 11), (1, 12)},
    ),
    ("linked already", [replace(M, linked=True)], [E], set(), set()),
    (
        "their namesake is linked",
        [M],
        [replace(E, linked=True), person(12, "John", "Smith", None, DAY)],
        set(),
        {(1, 12)},
    ),
    ("a row of a pull", [M], [replace(E, has_row=True)], set(), {(1, 11)}),
    (
        "accents",
        [person(1, "Zoë", "O'Brien", "z@x.example")],
        [person(11, "Zoe", "OBrien", "z@x.example")],
        {(1, 11)},
        set(),
    ),
    ("no names", [person(1, "", "")], [person(11, "", "")], set(), set()),
    (
        "twins",
        [person(1, "Erik", "Brown", "f@x.example")],
        [person(11, "Erika", "Brown", "f@x.example")],
        set(),
        {(1, 11)},
    ),
]


@pytest.mark.parametrize(
    ("members", "employees", "certain", "perhaps"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_case(
    members: list[Person], employees: list[Person], certain: set[tuple[int, int]], perhaps: set[tuple[int, int]]
) -> None:
    for ours in permutations(members):
        for theirs in permutations(employees):
            found = pairs(ours, [*theirs, *CROWD])
            assert {(member.int, employee.int) for employee, member in found.certain.items()} == certain
            assert {(one.member.int, one.employee.int) for one in found.perhaps} == perhaps


FIRM = "office@smith.example"
#: Two who may be two persons: one is only in QicWorks, the other one only in Xero.
DOUBTFUL = {
    "a middle name, the firm's email": (person(1, "John", "Smith", FIRM), person(11, "John Paul", "Smith", FIRM, DAY)),
    "thirty years apart": (person(1, "John", "Smith", FIRM, date(1990, 1, 1)), person(11, "John", "Smith", FIRM, DAY)),
    "the firm's email": (person(1, "John", "Smith", FIRM), person(11, "John", "Smith", FIRM)),
    "sisters": (person(1, "Marie", "Smith", FIRM, DAY), person(11, "Maria", "Smith", FIRM, DAY)),
    "a nickname": (person(1, "Robert", "Smith", FIRM, DAY), person(11, "Bob", "Smith", FIRM, DAY)),
    "a first name": (person(1, "Chris", "Lee", FIRM, DAY), person(11, "Chris", "Wong", FIRM, DAY)),
    "swapped": (person(1, "Ali", "Hassan", "ali@x.example", DAY), person(11, "Hassan", "Ali", "hassan@x.example", DAY)),
    "swapped, the firm's email": (person(1, "Ali", "Hassan", FIRM), person(11, "Hassan", "Ali", FIRM)),
}
#: The same if the firm has one start date for all.
ONE_DATE = {
    "namesakes": (person(1, "Kim", "Lee", "kim@x.example", DAY), person(11, "Kim", "Lee", "kimlee@y.example", DAY)),
    "no email": (person(1, "Kim", "Lee", None, DAY), person(11, "Kim", "Lee", "kim@x.example", DAY)),
    "a family's email": (person(1, "Robert", "Lee", "r@x.example", DAY), person(11, "Bob", "Lee", "r@x.example", DAY)),
}


@pytest.mark.parametrize(("ours", "theirs"), DOUBTFUL.values(), ids=DOUBTFUL)
@pytest.mark.parametrize("others", [[], CROWD])
def test_doubtful_ones_are_asked_about(ours: Person, theirs: Person, others: list[Person]) -> None:
    found = pairs([ours], [theirs, *others])
    assert ({**found.certain}, [(one.member, one.employee) for one in found.perhaps]) == ({}, [(ours.id, theirs.id)])


@pytest.mark.parametrize(("ours", "theirs"), ONE_DATE.values(), ids=ONE_DATE)
def test_one_start_date_for_all_tells_nobody_apart(ours: Person, theirs: Person) -> None:
    assert pairs([ours], [theirs, *CROWD]).certain == {theirs.id: ours.id}
    same = [replace(one, start_date=DAY) for one in CROWD]
    for others in ([], same, [*CROWD, *(replace(one, id=UUID(int=one.id.int + 50)) for one in same[:3])]):
        assert pairs([ours], [theirs, *others]).certain == {}
    crowd_here = [replace(one, id=UUID(int=one.id.int + 900)) for one in same]
    assert pairs([ours, *crowd_here], [theirs, *CROWD]).certain.get(theirs.id) is None


def test_an_office_s_email_is_the_same_one_in_the_statements() -> None:
    [listed] = re.findall(r"\^\(([a-z|?]+)\)\[\^a-z\]\*\$", (sql.folder() / "pull" / "staff.sql").read_text())
    assert re.sub(r"(\w+)s\?", r"\1|\1s", listed).split("|") == sorted(OFFICES)
    assert [is_office(f"{one}@x.example") for one in ("office", "admin2", "hr-", "officer", "john", "")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


def test_what_a_user_has_said_counts() -> None:
    found = pairs([M], [E], frozenset({(M.id, E.id)}))
    assert (found.certain, list(found.perhaps)) == ({}, [])


def test_what_is_likely() -> None:
    """Each is all that the other may be, and nothing contradicts."""
    for theirs, likely in (
        (person(11, "John", "Smith"), True),
        (person(11, "John", "Smith", "j@y.example"), False),
        (person(11, "John", "Smyth", "john@x.example"), True),
        (person(11, "Jack", "Smith", None, DAY), False),
        (replace(E, has_row=True), True),
        (person(11, "John", "Smyth", "john@x.example", LATER), False),
    ):
        assert [one.likely for one in pairs([M], [theirs]).perhaps] == [likely], theirs
    assert [one.likely for one in pairs([replace(M, is_active=False)], [E]).perhaps] == [False]
    left = person(11, "John", "Smith", FIRM, is_active=False)
    both = pairs([person(1, "John", "Smith", FIRM)], [left, person(12, "John", "Smith", FIRM, LATER)])
    assert (both.certain, [one.likely for one in both.perhaps]) == ({}, [False, False]), "the father, or the son"
    two = pairs([M, OTHER], [person(11, "John", "Smith")])
    assert [one.likely for one in two.perhaps] == [False, False]


def test_a_slip_is_one_letter() -> None:
    for one, other, is_slip in (
        ("Micheal", "Michael", True), ("Jonson", "Johnson", True), ("Petr", "Peter", True), ("Anna", "Anne", True),
        ("Ann", "Amy", False), ("Michelle", "Michael", False), ("Smith", "Smithson", False), ("abcd", "abdce", False),
    ):  # fmt: skip
        ours, theirs = person(1, one, "Walters"), person(11, other, "Walters")
        assert (Alike.TYPO in alike(ours, theirs)) is is_slip, (one, other)
        assert (Alike.TYPO in alike(theirs, ours)) is is_slip, (one, other)


@pytest.mark.parametrize("check", [payroll.check_employee, leave_requests.check_employee])
def test_pay_and_leave_of_who_is_not_linked_lead_to_the_page_before_anybody_is_added_again(check: Any) -> None:
    [said] = check(SimpleNamespace(row=SimpleNamespace(employee_xero_id=None, staff_is_here=False)))
    assert said.correction.startswith("Link this person under Xero › Match, ")
