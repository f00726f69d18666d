"""The tracking of a line: at most two categories, each with one option."""

from __future__ import annotations

from collections.abc import Iterable

from xero_sandbox.collection import Record
from xero_sandbox.writing.desk import Desk, Findings
from xero_sandbox.writing.reading import read_text

MOST = 2


def tracking_of(desk: Desk, sent: list[Record], found: Findings) -> list[Record]:
    if len(sent) > MOST:
        found.error(f"A line item cannot have more than {MOST} tracking categories.")
    return [option for one in sent if (option := _option(desk, one, found))]


def _option(desk: Desk, sent: Record, found: Findings) -> Record | None:
    """An option by the ids, or the names, of its category and its own."""
    given = {name: read_text(value) for name, value in sent.items() if value}
    category = _named(
        (row.record for row in desk.collection("TrackingCategories").rows.values()),
        ("TrackingCategoryID", given.get("TrackingCategoryID")),
        ("Name", given.get("Name")),
    )
    called = given.get("Option") or given.get("TrackingOptionID", "")
    if category is None:
        found.error(
            f"The tracking category '{given.get('Name') or given.get('TrackingCategoryID', '')}' does not exist."
        )
        return None
    option = _named(
        category.get("Options", ()), ("TrackingOptionID", given.get("TrackingOptionID")), ("Name", given.get("Option"))
    )
    if option is None:
        found.error(f"The tracking option '{called}' does not exist in the category '{category['Name']}'.")
        return None
    if category.get("Status") != "ACTIVE" or option.get("Status") != "ACTIVE":
        found.error(f"The tracking option '{option['Name']}' of the category '{category['Name']}' is archived.")
    return {
        "Name": category["Name"],
        "TrackingCategoryID": category["TrackingCategoryID"],
        "TrackingOptionID": option["TrackingOptionID"],
        "Option": option["Name"],
    }


def _named(records: Iterable[Record], by_id: tuple[str, str | None], by_name: tuple[str, str | None]) -> Record | None:
    """The first record with that id; without one, with that name."""
    field, wanted = by_id if by_id[1] else by_name
    folded = str(wanted).casefold()
    return next((record for record in records if str(record.get(field)).casefold() == folded), None)
