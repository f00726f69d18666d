"""What is said of a difference: every reason has words, for every kind, that name the choices and no value of pay."""

from uuid import UUID

import pytest

from xero.documents.registry import KINDS
from xero.qicworks.follow import wording
from xero.qicworks.follow.differences import Found, Reason, Settled

OURS = {"Total": "110.00", "Date": "2026-10-05"}
THEIRS = {"Total": "100.00", "Date": "2026-10-05", "Reference": "PO-1"}


def test_every_reason_and_every_way_to_settle_has_words() -> None:
    assert wording.WORDS.keys() == set(Reason), "plugins/xero/qicworks/follow/wording.py: WORDS"
    assert wording.SETTLED.keys() == set(Settled), "plugins/xero/qicworks/follow/wording.py: SETTLED"


@pytest.mark.parametrize("kind", [*KINDS, "contacts"])
@pytest.mark.parametrize("reason", Reason)
def test_they_are_sentences(kind: str, reason: Reason) -> None:
    message, correction = wording.say(Found(reason, OURS, THEIRS, subject="plan.pdf"), kind)
    assert message[0].islower() or message.startswith(("Xero", "QicWorks")), message
    assert not message.endswith("."), message
    assert correction[0].isupper(), correction
    assert correction.endswith("."), correction
    for words in (message, correction):
        assert not set("{}") & set(words), words
    for how in Settled:
        assert wording.say_settled(reason, how).startswith("settled, because ")


def test_fields_are_named_with_both_values() -> None:
    found = Found(Reason.EDITED_IN_XERO, OURS, THEIRS)
    assert wording.say(found, "invoices")[0] == (
        "it was changed in Xero after it was pushed: Total (110.00 in QicWorks, 100.00 in Xero), "
        "Date (2026-10-05 in QicWorks, 2026-10-05 in Xero), Reference (nothing in QicWorks, PO-1 in Xero)"
    )
    many = {f"field {n}": "1" for n in range(7)}
    assert wording.say(Found(Reason.EDITED_IN_XERO, many), "invoices")[0].endswith(" and 2 more")
    assert wording.say(Found(Reason.EDITED_IN_XERO), "invoices")[0].endswith("was pushed")


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.payroll])
@pytest.mark.parametrize("reason", Reason)
def test_of_payroll_no_value_is_said(kind: str, reason: Reason) -> None:
    said = " ".join(wording.say(Found(reason, OURS, THEIRS, subject=str(UUID(int=3))), kind))
    assert not {"110.00", "100.00", "PO-1"} & set(said.replace(",", " ").split())
    assert "110" not in said
