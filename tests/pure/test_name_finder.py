"""A person is found in words, and nobody who is called a little like them."""

import pytest

from xero.qicworks.privacy.name_finder import ERASED, NameFinder

NAMES = ["Bill", "Mark", "Al", "May", "Will", "Push", "Other", "Bill Smith", "Bill Smith Plumbing", "Mary-Anne Bill"]
NAMES += [
    "Anne Bill",
    "O'Brien",
    "Pat O'Brien",
    "José",
    "José Álvarez",
    "A.B. (Pty) Ltd",
    "B. (Pty) Ltd",
    "O",
    "Smith (Pty)",
]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_of_others_stays_as_it_is(name: str) -> None:
    others = [other for other in NAMES if other != name]
    known = NameFinder("contact", [name], ["al@example.com"], others)
    for other in [
        *others,
        "Jean-Anne Bill",
        "Anne Bill-O'Brien",
        "Jo.Bill Smith",
        "Bill Smith'son",
        name.upper() + "E",
    ]:
        words = f"{other}: contact '{other}' is archived; {other}'s; {other} (x.al@example.com, al@example.com.au)"
        assert known.without(words) == words
        assert " " not in name or known.without(words, theirs=True) == words


@pytest.mark.parametrize("name", NAMES)
def test_who_is_meant_is_found(name: str) -> None:
    known = NameFinder("contact", [name], ["al@example.com"], [other for other in NAMES if other != name])
    assert known.without(f"its contact '{name}' was merged") == f"its contact '{ERASED}' was merged"
    assert known.without("(AL@example.com.)") == f"({ERASED}.)"
    words = f"{name}: {name}'s ({name}), '{name}', {name}."
    gone = f"{ERASED}: {ERASED}'s ({ERASED}), '{ERASED}', {ERASED}."
    assert known.without(words, theirs=True) == gone
    assert known.without(words) == (gone if " " in name else words)


def test_a_name_that_two_have_is_neither_s_but_in_words_about_a_document_of_theirs() -> None:
    known = NameFinder("contact", ["Bill  Smith"], [], ["Bill Smith"])
    assert known.without("Ask Bill Smith: its contact 'Bill Smith' is archived") == (
        "Ask Bill Smith: its contact 'Bill Smith' is archived"
    )
    assert known.without("Ask Bill\nSmith", theirs=True) == f"Ask {ERASED}"
    assert NameFinder("staff", [ERASED], []).without(f"{ERASED} has no calendar") == f"{ERASED} has no calendar"
