"""Which contact of Xero's a new one is: namesakes case by case, and what holds for all."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xero.sync.push.contacts.matching import Alike, Known, Match, Wanted, alike, match

OWN = "0d0cbd8f-0000-4000-8000-000000000001"
ABC = Wanted(OWN, "ABC Plumbing Pty Ltd", tax_number="51 824 753 556", email="office@abc.example")
JOHN = Wanted(OWN, "John Smith", email="john@smith.example", person="John Smith")
A, B, C = (UUID(int=n) for n in (1, 2, 3))

#: What the case is, the new contact, Xero's contacts, and which of them it certainly is, or may be.
CASES: list[tuple[str, Wanted, list[Known], UUID | None, set[UUID]]] = [
    ("nobody", ABC, [Known(A, "XYZ Electrical")], None, set()),
    ("nobody at all", ABC, [], None, set()),
    ("our number", ABC, [Known(A, "Renamed since", OWN.upper())], A, set()),
    ("our number goes before a namesake", ABC, [Known(A, "Renamed", OWN), Known(B, "ABC Plumbing Pty Ltd")], A, set()),
    ("our number, archived", ABC, [Known(A, "ABC Plumbing", OWN, is_active=False)], None, {A}),
    ("exact name", ABC, [Known(A, "ABC Plumbing Pty Ltd"), Known(B, "ABD Plumbing Pty Ltd")], A, set()),
    ("case and blanks", ABC, [Known(A, "  abc  PLUMBING\tpty ltd ")], A, set()),
    ("composed otherwise", Wanted(OWN, "Café Zoë"), [Known(A, "Cafe\u0301 Zoe\u0308")], A, set()),
    ("two of the name", ABC, [Known(A, "ABC Plumbing Pty Ltd"), Known(B, "abc plumbing  pty ltd")], None, {A, B}),
    ("one is archived", ABC, [Known(A, "ABC Plumbing Pty Ltd", is_active=False), Known(B, ABC.name)], B, set()),
    ("only an archived one", ABC, [Known(A, "ABC Plumbing Pty Ltd", is_active=False)], None, {A}),
    ("merged", ABC, [Known(A, "ABC Plumbing Pty Ltd", is_active=False, merged_to=B), Known(B, "Q")], None, {A}),
    ("name, other ABN", ABC, [Known(A, "ABC Plumbing Pty Ltd", tax_number="53 004 085 616")], None, {A}),
    ("name and ABN", ABC, [Known(A, "ABC Plumbing Pty Ltd", tax_number="ABN 51824753556")], A, set()),
    ("ABN alone", ABC, [Known(A, "A.B.C. Trading Trust", tax_number="51824753556")], A, set()),
    (
        "two of the ABN",
        ABC,
        [Known(A, "One", tax_number="51824753556"), Known(B, "Two", tax_number="51824753556")],
        None,
        {A, B},
    ),
    ("name here, ABN there", ABC, [Known(A, ABC.name), Known(B, "Two", tax_number="51824753556")], None, {A, B}),
    ("a tax number that is none", replace(ABC, tax_number="000"), [Known(A, "One", tax_number="000")], None, set()),
    ("all zeros", replace(ABC, tax_number="00000000000"), [Known(A, "One", tax_number="00000000000")], None, set()),
    ("email alone", ABC, [Known(A, "One", email="Office@ABC.example")], None, {A}),
    ("name alike: Ltd", ABC, [Known(A, "ABC Plumbing")], None, {A}),
    ("name alike: turned", JOHN, [Known(A, "Smith, John")], None, {A}),
    ("name alike: &", Wanted(OWN, "Bell & Sons"), [Known(A, "Bell and Sons Pty. Ltd.")], None, {A}),
    ("two people of a name", JOHN, [Known(A, "John Smith", email="js@elsewhere.example")], None, {A}),
    ("the same person", JOHN, [Known(A, "John Smith", email="JOHN@smith.example")], A, set()),
    ("a person without email", JOHN, [Known(A, "John Smith")], A, set()),
    ("a firm of another email", ABC, [Known(A, "ABC Plumbing Pty Ltd", email="accounts@abc.example")], A, set()),
    ("QicWorks' own number", replace(ABC, number="QW-7"), [Known(A, "ABC Plumbing", "qw-7")], A, set()),
    ("a number that is another's", replace(ABC, number="QW-7"), [Known(A, "Somebody", "QW-7")], None, {A}),
    (
        "email of another besides the name",
        ABC,
        [Known(A, ABC.name), Known(B, "B", email="office@abc.example")],
        A,
        set(),
    ),
]


@pytest.mark.parametrize(
    ("wanted", "known", "certain", "perhaps"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_namesakes(wanted: Wanted, known: list[Known], certain: UUID | None, perhaps: set[UUID]) -> None:
    for order in (known, known[::-1]):
        found = match(wanted, order)
        assert (found.certain.xero_id if found.certain else None) == certain
        assert {one.known.xero_id for one in found.candidates} == perhaps


names = st.sampled_from(
    ["ABC Plumbing", "abc  plumbing", "ABC Plumbing Pty Ltd", "John Smith", "Smith John", "Ärger", "&", "x"]
)
numbers = st.sampled_from([None, "", OWN, "QW-1", "qw-1"])
taxes = st.sampled_from([None, "", "51 824 753 556", "53004085616", "1"])
emails = st.sampled_from([None, "", "a@b.example", "A@B.example", "c@d.example"])
known_ones = st.builds(
    Known, st.uuids(), names, numbers, taxes, emails, st.booleans(), st.one_of(st.none(), st.uuids())
)
wanted_ones = st.builds(
    Wanted, st.just(OWN), names, st.sampled_from([None, "QW-1"]), taxes, emails, st.sampled_from([None, "John Smith"])
)


@given(wanted_ones, st.lists(known_ones, max_size=5, unique_by=lambda one: one.xero_id), st.randoms())
def test_what_holds_for_all(wanted: Wanted, known: list[Known], dice) -> None:  # type: ignore[no-untyped-def]
    found = match(wanted, known)
    like = {one.xero_id: alike(wanted, one) for one in known if alike(wanted, one)}
    for one in known:  # the search finds all that are alike by their keys
        assert bool(wanted.keys & one.keys) >= bool(alike(wanted, one))
    if found.certain:
        assert found.certain.is_active
        assert found.by in like[found.certain.xero_id]
        assert not found.candidates
        others = [one for one in known if one.xero_id != found.certain.xero_id and one.is_active]
        if found.by is not Alike.OWN_NUMBER:
            assert not any(like.get(one.xero_id, frozenset()) & {Alike.NAME, Alike.TAX_NUMBER} for one in others)
    else:
        assert {one.known.xero_id for one in found.candidates} == set(like), "nothing that is alike is left out"
    shuffled = known[:]
    dice.shuffle(shuffled)
    assert match(wanted, shuffled) == found
    strangers = [Known(uuid4(), "Nobody else is called so", "Z-9", "77777777778", "z@z.example")]
    assert match(wanted, [*known, *strangers]) == found
    assert match(wanted, []) == Match()
