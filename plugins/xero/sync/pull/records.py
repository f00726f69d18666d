"""Records in a response: found under the envelope, and identified."""

import hashlib
from collections.abc import Callable
from typing import Any

from xero.api.answers import out_of_bounds
from xero.api.client import Answer
from xero.api.errors import BadAnswer, OutOfBounds
from xero.datasets.declaration import Source

MAX_RECORDS = 100_000  # in one answer; a page has a thousand, and no organisation so many accounts
LONGEST_ID = 200  # characters
MANY = 50_000  # records of one answer; Xero's pages have a thousand, and what does not page a few hundred

Progress = Callable[[int], None]  # told how many records came with each page


def identify(source: Source, record: object) -> str:
    """What tells this record from others, short and fit for a column: of an odd one its hash."""
    identifier = source.identifier
    if isinstance(record, dict):
        said = str(identifier(record) if callable(identifier) else record.get(identifier))
    else:
        said = repr(record)
    return said if is_plain(said) else f"odd {hashlib.sha256(ascii(said).encode()).hexdigest()}"


def is_plain(id: str) -> bool:
    """Whether it can be kept and logged as it is."""
    return len(id) <= LONGEST_ID and id.isprintable()


def records_in(answer: Answer, source: Source) -> list[Any]:
    """Returns the records in a response, none for a 304.

    Raises:
        BadAnswer: If the envelope key is missing: that is an error, not an empty list.
        OutOfBounds: If there are more records than any of Xero's lists has.
    """
    if answer.status == 304:
        return []
    records = answer.data.get(source.envelope) if isinstance(answer.data, dict) else None
    if records is None and isinstance(answer.data, dict) and source.envelope in answer.data:
        records = []  # null is how some say that there are none
    else:
        records = source.records(records)
    if isinstance(records, list) and len(records) > MAX_RECORDS:
        raise out_of_bounds(f"The answer of {source.path}", f"it has more than {MAX_RECORDS:,} records")
    if not isinstance(records, list):
        raise BadAnswer(
            f"The answer of {source.path} holds no list '{source.envelope}'.",
            "If it lasts, check the host of the Airflow connection: it may not be Xero.",
        )
    if len(records) > MANY:
        raise OutOfBounds(
            f"The answer of {source.path} holds {len(records)} records.",
            "Nothing was loaded. Check the host of the Airflow connection: it may not be Xero.",
        )
    return records
