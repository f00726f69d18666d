"""Finds the records in a response, and identifies each."""

import hashlib
from collections.abc import Callable
from typing import Any

from xero.api.client import Answer
from xero.api.errors import BadAnswer, OutOfBounds, Refused, RetryLater
from xero.datasets.declaration import Source

MAX_RECORDS = 50_000  # in one response; Xero's pages have a thousand, and lists without pages a few hundred
MAX_ID_LENGTH = 200  # characters

Progress = Callable[[int], None]  # called with the number of records of each page


def identify(source: Source, record: object) -> str:
    """The record's id, short and printable; of a record without one a hash."""
    identifier = source.identifier
    if isinstance(record, dict):
        id = str(identifier(record) if callable(identifier) else record.get(identifier))
    else:
        id = repr(record)
    return id if is_plain(id) else f"odd {hashlib.sha256(ascii(id).encode()).hexdigest()}"


def is_of_one_path(error: BaseException) -> bool:
    """Whether only this list may fail: Xero refuses it, has an error of its own, or its response is not a list."""
    if isinstance(error, OutOfBounds):
        return False
    outage = isinstance(error, RetryLater) and error.limit == "outage"
    return outage or isinstance(error, Refused | BadAnswer)


def is_plain(id: str) -> bool:
    """Whether an id can be stored and logged as it is."""
    return len(id) <= MAX_ID_LENGTH and id.isprintable()


def records_in(answer: Answer, source: Source) -> list[Any]:
    """Returns the records in a response, none for a 304.

    Raises:
        BadAnswer: If the envelope key is missing: that is an error, not an empty list.
        OutOfBounds: If there are more records than any of Xero's lists has.
    """
    if answer.status == 304:
        return []
    data = answer.data if isinstance(answer.data, dict) else {}
    records = source.records(data.get(source.envelope))
    if records is None and source.envelope in data and data[source.envelope] is None:
        return []  # some endpoints say null if there are none
    if not isinstance(records, list):
        raise BadAnswer(
            f"The response of {source.path} has no list '{source.envelope}'.",
            "If it lasts, check the host of the Airflow connection: it may not be Xero.",
        )
    if len(records) > MAX_RECORDS:
        raise OutOfBounds(
            f"The response of {source.path} has {len(records)} records.",
            "Nothing was loaded. Check the host of the Airflow connection: it may not be Xero.",
        )
    return records
