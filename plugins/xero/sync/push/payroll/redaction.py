"""Removes numbers and what is known of an employee from Xero's messages about payroll, which every viewer can read."""

import re
from collections.abc import Sequence

from xero.documents.declaration import AnyDocument
from xero.sync.push.corrections import correct

# A number, with whatever parts it; an id is none.
ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
AMOUNTS = re.compile(r"(?:[$€£]\s*)?\d(?:[.,'’\s]?\d)*")
PERSONAL = ("first_name", "last_name", "email", "phone", "mobile", "staff_title", "job_title", "title", "notes")
LONGEST = 120  # characters of words that no rule knows: they may tell of anything


def discreet(messages: Sequence[str], document: AnyDocument) -> list[str]:
    """Xero's words of payroll without numbers and without what is known of the employee: every viewer reads them.
    Of words that the catalogue of corrections does not know, the beginning."""
    told = []
    personal = sorted({part for name in PERSONAL if (part := getattr(document.row, name, None))}, key=len, reverse=True)
    for words in messages:
        known = correct([words], document="", number=None, function="payroll").known
        for part in personal:
            words = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", "…", words, flags=re.IGNORECASE)
        words = _without_numbers(words)
        told.append(words if known or len(words) <= LONGEST else words[: LONGEST - 1] + "…")
    return told


def _without_numbers(words: str) -> str:
    made, end = "", 0
    for id in ID.finditer(words):
        made += AMOUNTS.sub("…", words[end : id.start()]) + id[0]
        end = id.end()
    return made + AMOUNTS.sub("…", words[end:])
