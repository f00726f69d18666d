"""Compares the open differences with those that the demo plants: exactly these are to be shown."""

from collections.abc import Iterator

import psycopg

from demo.place import Place
from demo.planted import EXPECTED, PLANTED, Plot

# Of the connected organisations; what was acknowledged is still open. `label`: such as "invoice IV-8001".
OPEN = """
    SELECT organisation.name, difference.label, difference.reason
      FROM xero_sync.difference
      JOIN xero_sync.connection ON connection.id = difference.connection_id
      JOIN qicworks.organisation ON organisation.id = connection.organisation_id
     WHERE difference.settled_at IS NULL AND connection.enabled AND connection.state = 'connected'
"""

Difference = tuple[str, str, str]  # organisation, label of the document, reason


def unexpected(place: Place, plot: Plot) -> list[str]:
    """Lists differences that are open and were not planted, and those that were planted and are not open."""
    with psycopg.connect(f"{place.postgres}/qicworks") as connection:
        found: set[Difference] = {(name, label, reason) for name, label, reason in connection.execute(OPEN)}
    due = set(planted(plot))
    assert due, "nothing was planted: this proves nothing"
    return [
        *(f"{name}, {label}: its difference {reason} was not planted" for name, label, reason in sorted(found - due)),
        *(f"{name}, {label}: its difference {reason} is not open" for name, label, reason in sorted(due - found)),
    ]


def planted(plot: Plot) -> Iterator[Difference]:
    """The differences that are to be open. Faulty samples cause none: they have no record in Xero."""
    for sample in PLANTED:
        if reason := EXPECTED[sample.number]:
            yield plot.organisation, f"{sample.table.replace('_', ' ')} {sample.number}", reason
