"""A person is found in words, and nobody who is called a little like them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xero.qicworks.wording import ERASED, Wording

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


@given(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=6), st.sampled_from(NAMES))
def test_what_is_said_of_others_stays_as_it_is(name: str, others: list[str], quoted: str) -> None:
    others = [other for other in others if other != name]
    known = Wording("contact", [name], ["al@example.com"], NAMES)
    words = "; ".join([*others, f"its contact '{quoted}' is archived in Xero", "x.al@example.com, al@example.com.au"])
    if quoted != name:
        assert known.without(words) == words
    alone = Wording("contact", [name], [], [other for other in NAMES if other != name])
    kept = words.replace(f"contact '{quoted}' is", f"contact '{ERASED}' is") if quoted == name else words
    assert alone.without(words) == kept


@pytest.mark.parametrize("name", NAMES)
def test_who_is_meant_is_found(name: str) -> None:
    known = Wording("contact", [name], ["al@example.com"], [other for other in NAMES if other != name])
    assert known.without(f"its contact '{name}' was merged") == f"its contact '{ERASED}' was merged"
    assert known.without("(AL@example.com.)") == f"({ERASED}.)"
    words = f"{name}: {name}'s ({name}), '{name}', {name}."
    gone = f"{ERASED}: {ERASED}'s ({ERASED}), '{ERASED}', {ERASED}."
    assert known.without(words, theirs=True) == gone
    assert known.without(words) == (gone if " " in name else words)


def test_a_name_that_two_have_is_neither_s_but_in_words_about_a_document_of_theirs() -> None:
    known = Wording("contact", ["Bill  Smith"], [], ["Bill Smith"])
    assert known.without("Ask Bill Smith: its contact 'Bill Smith' is archived") == (
        "Ask Bill Smith: its contact 'Bill Smith' is archived"
    )
    assert known.without("Ask Bill\nSmith", theirs=True) == f"Ask {ERASED}"
    assert Wording("staff", [ERASED], []).without(f"{ERASED} has no calendar") == f"{ERASED} has no calendar"
