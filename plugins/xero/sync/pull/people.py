"""Which member of QicWorks' staff an employee in Xero is: certainly, likely or perhaps. Pay is sent to them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from xero.sync.pull.person import LIKE_NAME, SAME_NAME, Alike, Person, alike, is_office, name_alike

#: One way to write a name, apart from accents and the like.
ONE_NAME = frozenset({Alike.NAME, Alike.SPELLING})
#: A start date tells people apart only if other employees have that many other ones: a firm may have one for all.
MIN_OTHER_DATES = 5


@dataclass(frozen=True)
class Pair:
    """A member and an employee who may be one person."""

    member: UUID
    employee: UUID
    alike: frozenset[Alike]
    likely: bool = False  # each is the only one that the other may be, and nothing contradicts


@dataclass(frozen=True)
class Pairs:
    """`certain`: member by employee. `perhaps`: about whom a user decides."""

    certain: Mapping[UUID, UUID]
    perhaps: Sequence[Pair]


def pairs(
    members: Iterable[Person], employees: Iterable[Person], apart: frozenset[tuple[UUID, UUID]] = frozenset()
) -> Pairs:
    """Compares all members with all employees. The order does not matter.

    Args:
        apart: Members and employees who are not the same person, as a user has said.
    """
    members, employees = list(members), list(employees)
    found = _Found(members, employees, apart)
    certain = found.certain()
    taken = {*certain.values()}
    perhaps = [
        one for one in found.open_pairs() if one.employee not in certain and one.member not in taken and found.asks(one)
    ]
    by_member, by_employee = defaultdict(list), defaultdict(list)
    for one in perhaps:
        by_member[one.member].append(one)
        by_employee[one.employee].append(one)
    return Pairs(
        certain,
        [
            Pair(one.member, one.employee, one.alike, likely=found.is_likely(one) or found.is_certain(one))
            if len(by_member[one.member]) == len(by_employee[one.employee]) == 1
            else one
            for one in sorted(perhaps, key=lambda one: (str(one.member), str(one.employee)))
        ],
    )


class _Found:
    def __init__(self, members: list[Person], employees: list[Person], apart: frozenset[tuple[UUID, UUID]]) -> None:
        self.members = {one.id: one for one in members}
        self.employees = {one.id: one for one in employees}
        self.apart = apart
        self.shared = _shared(members) | _shared(employees)
        self.telling = _telling(members, employees)
        by_key: dict[str, dict[UUID, Person]] = defaultdict(dict)
        for employee in employees:
            for key in employee.keys:
                by_key[key][employee.id] = employee
        self.pairs = {
            (member.id, employee.id): words
            for member in members
            for employee in {id: one for key in member.keys for id, one in by_key.get(key, {}).items()}.values()
            if (words := alike(member, employee, self.shared))
        }
        self.of_member: dict[UUID, list[UUID]] = defaultdict(list)
        self.of_employee: dict[UUID, list[UUID]] = defaultdict(list)
        for member_id, employee_id in self.pairs:
            self.of_member[member_id].append(employee_id)
            self.of_employee[employee_id].append(member_id)

    def open_pairs(self) -> Iterable[Pair]:
        for (member, employee), words in self.pairs.items():
            both = self.members[member], self.employees[employee]
            if not any(one.linked for one in both) and (member, employee) not in self.apart:
                yield Pair(member, employee, words)

    def certain(self) -> dict[UUID, UUID]:
        """Member by employee; each of them once."""
        found = [one for one in self.open_pairs() if self.is_certain(one)]
        by_member: dict[UUID, list[UUID]] = defaultdict(list)
        by_employee: dict[UUID, list[UUID]] = defaultdict(list)
        for one in found:
            by_member[one.member].append(one.employee)
            by_employee[one.employee].append(one.member)
        chosen = {}
        for member, employees in by_member.items():
            now = [one for one in employees if not self._has_left(one, self.of_member[member])]
            if len(now) == 1 and by_employee[now[0]] == [member] and not self.employees[now[0]].has_row:
                chosen[now[0]] = member
        return {
            employee: member
            for employee, member in chosen.items()
            if self.employees[employee].is_active or not self._may_work(member, chosen)
        }

    def _may_work(self, member: UUID, chosen: Mapping[UUID, UUID]) -> bool:
        """Whether an employee who works, and is nobody else, has the name of this member: they may be hired again."""
        others = (self.employees[one] for one in self.of_member[member] if self.pairs[member, one] & SAME_NAME)
        return any(one.is_active and not one.linked and one.id not in chosen for one in others)

    def asks(self, pair: Pair) -> bool:
        """Whether a user is asked. Not about a leaver who was hired again: the active one counts."""
        return not self._has_left(pair.employee, self.of_member[pair.member])

    def _has_left(self, employee_id: UUID, others: Iterable[UUID]) -> bool:
        """Whether exactly one of the others is the same person, in the same name and email, and works."""
        employee = self.employees[employee_id]
        same = [self.employees[one] for one in others if self._is_same(employee, self.employees[one])]
        return not employee.is_active and sum(one.is_active for one in same) == 1

    def is_certain(self, pair: Pair) -> bool:
        """Nothing contradicts, and the email says it, or the start date; both if the name is written otherwise."""
        words, member = pair.alike, self.members[pair.member]
        if self._is_back(pair) or (Alike.OTHER_START_DATE in words and not self._is_after_leaving(pair)):
            return False
        names = words & LIKE_NAME
        is_started = Alike.START_DATE in words and member.start_date in self.telling
        if {Alike.NAME, Alike.EMAIL} <= words:
            return self._is_sole(pair, {Alike.NAME, Alike.EMAIL})
        if Alike.EMAIL in words and self._is_sole(pair, {Alike.EMAIL}):
            return bool(names & ONE_NAME) or (is_started and (bool(names) or Alike.FIRST_NAME in words))
        if not is_started or not names & ONE_NAME:
            return False
        if self._is_sole(pair, LIKE_NAME, any_of=True):
            return True
        return Alike.OTHER_EMAIL not in words and self._is_sole(pair, {Alike.START_DATE})

    def is_likely(self, pair: Pair) -> bool:
        """Nothing contradicts, and names or the email are alike."""
        words = pair.alike
        if Alike.OTHER_START_DATE in words or self._is_back(pair):
            return False
        if words & SAME_NAME and Alike.OTHER_EMAIL not in words:
            return True
        return Alike.EMAIL in words and bool(words & LIKE_NAME)

    def _is_back(self, pair: Pair) -> bool:
        """Whether QicWorks has deactivated who works in Xero: a link would give them their log-in again."""
        return not self.members[pair.member].is_active and self.employees[pair.employee].is_active

    def _is_same(self, one: Person, other: Person) -> bool:
        """Whether two employees have the same name and email, nobody else's: one person, who was hired twice."""
        return one.folded == other.folded and one.mails - self.shared == other.mails - self.shared != frozenset()

    def _is_after_leaving(self, pair: Pair) -> bool:
        """Whether the member is, also by the start date, a former employee of the same name and email, who left."""
        employee = self.employees[pair.employee]
        return any(
            not self.employees[one].is_active
            and self._is_same(employee, self.employees[one])
            and Alike.START_DATE in self.pairs[pair.member, one]
            for one in self.of_member[pair.member]
        )

    def _is_sole(self, pair: Pair, wanted: frozenset[Alike] | set[Alike], *, any_of: bool = False) -> bool:
        """Whether neither is alike with anyone else in these, among all of both sides."""

        def counts(words: frozenset[Alike]) -> bool:
            return bool(words & wanted) if any_of else wanted <= words

        employee = self.employees[pair.employee]
        others = [
            one for one in self.of_member[pair.member] if one != pair.employee and counts(self.pairs[pair.member, one])
        ]
        if any(not self._is_same(employee, self.employees[one]) for one in others):
            return False
        if others and sum(one.is_active for one in (employee, *map(self.employees.__getitem__, others))) != 1:
            return False
        return not any(
            one != pair.member and counts(self.pairs[one, pair.employee]) for one in self.of_employee[pair.employee]
        )


def _shared(people: Iterable[Person]) -> frozenset[str]:
    """Emails of an office, and those that persons of different names have."""
    by_mail: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        for mail in person.mails:
            by_mail[mail].append(person)
    return frozenset(
        mail
        for mail, having in by_mail.items()
        if is_office(mail) or any(name_alike(having[0], other) is None for other in having[1:])
    )


def _telling(members: Sequence[Person], employees: Sequence[Person]) -> frozenset[date]:
    """Start dates that few others have, where the others have different ones."""
    found: set[date] = set()
    counts = [
        Counter(day for _, day in {(one.folded, one.start_date) for one in side}) for side in (members, employees)
    ]
    for day in counts[1]:
        if day is None:
            continue
        is_rare = all(count[day] <= max(2, sum(count.values()) // 50) for count in counts)
        if is_rare and len(counts[1].keys() - {None, day}) >= MIN_OTHER_DATES:
            found.add(day)
    return frozenset(found)
