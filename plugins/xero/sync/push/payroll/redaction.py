"""Removes numbers and what is known of an employee from Xero's messages about payroll, which every viewer can read."""

import re
from collections.abc import Sequence

from xero.documents.declaration import AnyDocument
from xero.sync.push.corrections import correct

# A number with its separators; an id is not a number.
ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
AMOUNTS = re.compile(r"(?:[$€£]\s*)?\d(?:[.,'’\s]?\d)*")
PERSONAL = ("first_name", "last_name", "email", "phone", "mobile", "staff_title", "job_title", "title", "notes")
MAX_UNKNOWN_CHARACTERS = 120  # of a message without a correction: it may contain anything


def redacted(messages: Sequence[str], document: AnyDocument) -> list[str]:
    """Xero's messages without numbers and without the employee's details, because every viewer reads them.

    Of a message that the catalogue of corrections does not have, only the beginning.
    """
    made = []
    details = {detail for name in PERSONAL if (detail := getattr(document.row, name, None))}
    for message in messages:
        known = correct([message], document="", number=None, function="payroll").known
        for detail in sorted(details, key=len, reverse=True):
            message = re.sub(rf"(?<!\w){re.escape(detail)}(?!\w)", "…", message, flags=re.IGNORECASE)
        message = _without_numbers(message)
        is_short = len(message) <= MAX_UNKNOWN_CHARACTERS
        made.append(message if known or is_short else message[: MAX_UNKNOWN_CHARACTERS - 1] + "…")
    return made


def _without_numbers(words: str) -> str:
    made, end = "", 0
    for id in ID.finditer(words):
        made += AMOUNTS.sub("…", words[end : id.start()]) + id[0]
        end = id.end()
    return made + AMOUNTS.sub("…", words[end:])
