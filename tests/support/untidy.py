"""People and firms as two systems have them: the same ones, written by different hands. By rule, from a seed."""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from xero.sync.pull.person import Person
from xero.sync.push.contacts.matching import Known, Wanted


def _split(words: str) -> list[str]:
    return words.split()


FIRST = _split("""
    Robert William Elizabeth Margaret Michael Christopher Jennifer Daniel Samantha Anthony Nguyen Priya
    Wei Mohammed Olivia Charlotte Jack Noah Isla Amelia Lachlan Cooper Ngaire Siobhan Zoë Anne-Marie
    Joanne Terence Kylie Darren Wayne Tracey
""")
LAST = _split("""
    Smith Jones Williams Brown Wilson Taylor Nguyen Johnson Martin White Anderson Walker Thompson Thomas
    Lee Harris Ryan Robinson Kelly King O'Brien MacDonald Müller Singh Patel Papadopoulos Rossi Vella
    Tran Campbell Stewart Young
""")


def abn(nine: str) -> str:
    """The ABN with these nine last digits: its first two make the check right."""
    weights = (3, 5, 7, 9, 11, 13, 15, 17, 19)
    check = 89 - sum(int(digit) * weight for digit, weight in zip(nine, weights, strict=True)) % 89
    return f"{check + 10}{nine}"


NICKNAME = {
    "Robert": "Bob", "William": "Bill", "Elizabeth": "Liz", "Margaret": "Maggie", "Michael": "Mick",
    "Christopher": "Chris", "Jennifer": "Jen", "Daniel": "Dan", "Samantha": "Sam", "Anthony": "Tony",
    "Terence": "Terry",
}  # fmt: skip
TRADES = _split("""
    Plumbing Electrical Roofing Concrete Joinery Painting Scaffolding Earthmoving Fencing Tiling Glass
    Steel
""")
PLACES = _split("""
    Illawarra Hunter Coastal Southern Highlands Macarthur Dapto Kiama Nowra Shellharbour Wollongong Bulli
    Thirroul
""")


@dataclass(frozen=True)
class Staff:
    """QicWorks' side, Xero's side, and which member is which employee."""

    members: list[Person]
    employees: list[Person]
    truth: dict[UUID, UUID]  # employee → member


def staff(seed: int, employed: int = 80, known: int = 78) -> Staff:
    """Namesakes, leavers hired again, nicknames, typos, swapped, middle and married names, missing and new emails."""
    dice = random.Random(seed)
    employees, members, truth = [], [], {}
    for number in range(employed):
        first, last = dice.choice(FIRST), dice.choice(LAST)
        if number % 16 == 1:  # a namesake of the one before
            first, last = employees[-1].first_name, employees[-1].last_name
        email = f"{first}.{last}{number}@staff.example".lower()
        start = date(2015, 1, 1) + timedelta(days=dice.randrange(3650))
        one = Person(UUID(int=dice.getrandbits(128)), first, last, frozenset({email}), start)
        employees.append(one)
        if number < known:
            member = replace(one, id=UUID(int=dice.getrandbits(128)))
            members.append(_untidy(member, number, dice))
            truth[one.id] = member.id
        if number % 20 == 7:  # left once, and was hired again: the same person as another employee
            before = start - timedelta(days=900)
            employees.append(replace(one, id=UUID(int=dice.getrandbits(128)), start_date=before, is_active=False))
    dice.shuffle(employees)
    dice.shuffle(members)
    return Staff(members, employees, truth)


def _untidy(one: Person, number: int, dice: random.Random) -> Person:
    """Every second one is as in Xero; of the others each has another untidiness."""
    if number % 2:
        return replace(one, first_name=f" {one.first_name.upper()}", emails=frozenset(e.upper() for e in one.emails))
    match (number // 2) % 13:
        case 0:
            return replace(one, emails=frozenset())
        case 1:
            return replace(one, emails=frozenset({f"private{number}@mail.example"}))
        case 2:
            return replace(one, first_name=one.last_name, last_name=one.first_name)
        case 3:
            return replace(one, first_name=f"{one.first_name} James")
        case 4:
            return replace(one, first_name=NICKNAME.get(one.first_name, one.first_name))
        case 5:
            return replace(one, last_name=_typo(one.last_name, dice))
        case 6:
            return replace(one, last_name="Married-Now")
        case 7:
            return replace(one, start_date=None)
        case 8:
            return replace(one, first_name=one.first_name.replace("ë", "e").replace("-", " "), start_date=None)
        case 9:
            return replace(one, first_name=_typo(one.first_name, dice))
        case _:
            return one


def _typo(name: str, dice: random.Random) -> str:
    if len(name) < 5:
        return name
    at = dice.randrange(1, len(name) - 1)
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :] if dice.random() < 0.5 else name[:at] + name[at + 1 :]


@dataclass(frozen=True)
class Firms:
    """QicWorks' contacts, Xero's contacts, and which is which."""

    wanted: dict[UUID, Wanted]
    known: list[Known]
    truth: dict[UUID, UUID]  # QicWorks' → Xero's


def firms(seed: int, in_xero: int = 5000, in_qicworks: int = 4800) -> Firms:
    """Case, blanks, full stops, Pty Ltd, P/L, &, missing and changed emails, typos, namesakes, archived ones."""
    dice = random.Random(seed)
    known, wanted, truth = [], {}, {}
    for number in range(in_xero):
        person = number % 6 == 0
        word = f"{dice.choice(PLACES)} {dice.choice(LAST)} {dice.choice(LAST)}"
        name = (
            f"{dice.choice(FIRST)} {dice.choice(LAST)} {_letters(number)}"
            if person
            else f"{word} {dice.choice(TRADES)} Pty Ltd"
        )
        if not person and number % 7 == 0:
            name = f"{dice.choice(LAST)} & {dice.choice(LAST)} {dice.choice(TRADES)} {_letters(number)}"
        email = f"office{number}@firm{number}.example" if dice.random() < 0.9 else None
        tax = None if person or dice.random() < 0.3 else abn(f"{100_000_000 + number * 97}")
        if number % 50 == 49:  # the same name as the one before, and another firm
            name = known[-1].name
        one = Known(UUID(int=dice.getrandbits(128)), name, None, tax, email)
        known.append(one)
        if number % 40 == 3:  # was entered before, and archived
            known.append(
                replace(one, xero_id=UUID(int=dice.getrandbits(128)), is_active=False, email=None, tax_number=None)
            )
        if number < in_qicworks:
            id = UUID(int=dice.getrandbits(128))
            wanted[id] = _untidy_firm(one, str(id), person, number, dice)
            truth[id] = one.xero_id
    dice.shuffle(known)
    return Firms(wanted, known, truth)


def _letters(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number)).capitalize()


def _untidy_firm(one: Known, own: str, person: bool, number: int, dice: random.Random) -> Wanted:
    """Two in three are as in Xero apart from case and blanks; of the others each has another untidiness."""
    name, email, tax = one.name, one.email, one.tax_number
    match number % 33:
        case 1:
            name = name.replace(" Pty Ltd", "")
        case 2:
            name = name.replace("Pty Ltd", "P/L")
        case 4:
            name = name.replace("Pty Ltd", "PTY. LTD.")
        case 5 | 7 | 14 | 21 | 28:
            name = name.replace("&", "and")
        case 8:
            email = None
        case 10:
            email = f"new{number}@elsewhere.example"
        case 11:
            tax = None
        case 13 if tax:
            name = _typo(name, dice)
        case 16:
            name, email, tax = name, None, None
        case _ if number % 3 == 0:
            name = f" {name.upper().replace(' ', '  ')} "
    return Wanted(own, name, None, tax, email, name if person else None)
