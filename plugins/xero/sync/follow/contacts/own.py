"""After a pull of contacts: QicWorks' own are linked to those that they certainly are; a user decides about others.

Nothing is sent to Xero. What is certain is decided as before a push, and more: no two contacts are linked to one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from xero.qicworks.links import candidates, own_contacts
from xero.qicworks.links.candidates import What
from xero.sync.push.contacts.matching import (
    Alike,
    Candidate,
    Known,
    Match,
    Wanted,
    alike,
    folded,
    match,
    tax_digits,
)
from xero.sync.runs.run import Run

MAX_CANDIDATES = 20  # of one contact
PROPRIETARY = re.compile(r"\bp\s*/\s*l\b", re.IGNORECASE)
COMPANY = frozenset({"pty", "ltd", "limited", "proprietary", "and"})
NAMES = frozenset({Alike.NAME, Alike.SIMILAR_NAME})


@dataclass(frozen=True)
class Pairs:
    """`certain`: the record in Xero by contact. `perhaps`: about whom a user decides."""

    certain: Mapping[UUID, UUID]
    perhaps: Sequence[candidates.Candidate]


def follow(it: Run) -> Sequence[str]:
    """Links those of one organisation, in the transaction that loads its contacts."""
    about = it.session, it.connection
    wanted = {
        row["id"]: Wanted(
            str(row["id"]), row["name"], row["contact_number"], row["tax_number"], row["email"], row["person"]
        )
        for row in own_contacts.unlinked(*about)
    }
    if not wanted:
        candidates.replace(it.session, it.connection.id, What.CONTACT, ())
        return ()
    known, taken = [], set()
    for row in own_contacts.pulled(*about):
        taken |= {row["xero_id"]} if row.pop("is_taken") else set()
        known.append(Known(**row))
    found = pairs(wanted, known, taken, candidates.apart(it.session, it.connection.id, What.CONTACT))
    own_contacts.link(*about, found.certain)
    candidates.replace(it.session, it.connection.id, What.CONTACT, found.perhaps)
    return ()


def pairs(
    wanted: Mapping[UUID, Wanted], known: Iterable[Known], taken: set[UUID], apart: frozenset[tuple[UUID, UUID]]
) -> Pairs:
    """Compares all contacts of QicWorks that are not linked with all of Xero's.

    Args:
        taken: Records that a contact of QicWorks is linked to already.
        apart: Pairs that are not the same, as a user has said.
    """
    wanted = {id: replace(one, name=_plain(one.name)) for id, one in wanted.items()}
    by_key: dict[tuple[str, str], list[Known]] = defaultdict(list)
    for record in known:
        plain = replace(record, name=_plain(record.name))
        for key in plain.keys:
            by_key[key].append(plain)
    results: dict[UUID, Match] = {}
    chosen: dict[UUID, Candidate] = {}
    claims: dict[UUID, dict[UUID, bool]] = defaultdict(
        dict
    )  # by record: contacts that may be it, and whether by two facts
    for id, one in wanted.items():
        near = {
            each.xero_id: each for key in one.keys for each in by_key.get(key, ()) if (id, each.xero_id) not in apart
        }
        result = match(one, near.values())
        results[id] = replace(result, candidates=result.candidates or _every(one, near.values()))
        if certain := _certain(one, result, results[id].candidates):
            chosen[id] = certain
            claims[certain.known.xero_id][id] = _by_two(certain)
            continue
        for candidate in results[id].candidates:
            if candidate.alike - {Alike.EMAIL}:
                claims[candidate.known.xero_id][id] = _by_two(candidate)
    linked = {
        id: one.known.xero_id
        for id, one in chosen.items()
        if one.known.xero_id not in taken
        and not any(by_two or not _by_two(one) for other, by_two in claims[one.known.xero_id].items() if other != id)
    }
    gone = {*linked.values()}
    perhaps = []
    for id, result in results.items():
        if id in linked:
            continue
        left = [candidate for candidate in result.candidates if candidate.known.xero_id not in gone]
        likely = _likely(wanted[id], left)
        for candidate in sorted(left, key=lambda candidate: not candidate.known.is_active)[:MAX_CANDIDATES]:
            xero_id = candidate.known.xero_id
            is_likely = candidate is likely and claims[xero_id].keys() <= {id} and xero_id not in taken
            perhaps.append(candidates.Candidate(id, xero_id, sorted(candidate.alike), is_likely))
    return Pairs(linked, perhaps)


def _every(wanted: Wanted, known: Iterable[Known]) -> tuple[Candidate, ...]:
    return tuple(Candidate(one, words) for one in known if (words := alike(wanted, one)))


def _certain(wanted: Wanted, found: Match, every: Sequence[Candidate]) -> Candidate | None:
    """As before a push; or the only one of the firm's name that has the same email or ABN, too."""
    if found.certain:
        return next(one for one in every if one.known.xero_id == found.certain.xero_id)
    by_two = [one for one in every if one.known.is_active and _by_two(one)]
    if len(by_two) != 1 or _contradicts(wanted, by_two[0]):
        return None
    return by_two[0] if _firm(wanted.name) == _firm(by_two[0].known.name) else None


def _by_two(one: Candidate) -> bool:
    """Whether the name is alike, and the email or ABN is the same."""
    return bool(one.alike & NAMES) and bool(one.alike & {Alike.EMAIL, Alike.TAX_NUMBER})


def _likely(wanted: Wanted, open_ones: Sequence[Candidate]) -> Candidate | None:
    active = [one for one in open_ones if one.known.is_active]
    if len(active) != 1 or not active[0].alike & NAMES or _contradicts(wanted, active[0]):
        return None
    other_mail = wanted.email and active[0].known.email and Alike.EMAIL not in active[0].alike
    return None if other_mail and Alike.TAX_NUMBER not in active[0].alike else active[0]


def _contradicts(wanted: Wanted, one: Candidate) -> bool:
    ours, theirs = tax_digits(wanted.tax_number), tax_digits(one.known.tax_number)
    return bool(ours and theirs and ours != theirs)


def _plain(name: str) -> str:
    return PROPRIETARY.sub("Pty Ltd", name)


def _firm(name: str) -> list[str]:
    """The words of a firm's name, in their order, without punctuation and Pty Ltd."""
    plain = folded(name).replace("&", " and ").replace("'", "").replace("’", "").replace(".", "")
    return [word for word in re.findall(r"\w+", plain) if word not in COMPANY]
