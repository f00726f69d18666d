"""Two contacts or departments of one name: what a person decides about one does not hold for the other."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.differing import put_off
from tests.support.followed import choose, differing, do, record, sweep
from tests.support.following import id_in_xero
from tests.support.following import pushed as leave_pushed
from tests.support.paying import Payroll
from tests.support.pushing import PRICED, Books, Line
from tests.support.world import World


def namesakes(books: Books) -> tuple[str, str]:
    """Two contacts of one name."""
    first, second = books.contacts[1], books.contacts[2]
    books.world.query("UPDATE qicworks.contact SET name = 'Smith' WHERE id = ANY(%s)", [first, second])
    rows = books.world.query("SELECT xero_id FROM qicworks.contact WHERE id = ANY(%s)", [first, second])
    return str(rows[0]["xero_id"]), str(rows[1]["xero_id"])


def options(books: Books) -> tuple[str, str]:
    """Two departments of one name, the second of another category."""
    made = []
    for category in books.world.sandbox.truth("TrackingCategories")[:2]:
        option = {"TrackingOptionID": str(uuid4()), "Name": "North", "Status": "ACTIVE"}
        path = f"organisations/{books.world.sandbox.tenant()}/TrackingCategories/{category['TrackingCategoryID']}"
        books.world.sandbox.control("PATCH", path, {"Options": [*category["Options"], option]})
        made.append(option["TrackingOptionID"])
    return made[0], made[1]


def to_contact(books: Books, kind: str, document: UUID, id: str) -> None:
    do(books, kind, document, "edit", fields={"Contact": {"ContactID": id}})


def to_department(books: Books, kind: str, document: UUID, id: str) -> None:
    [line] = record(books, kind, document)["LineItems"]
    tracking = [{"TrackingOptionID": id, "Option": "North"}]
    collection, key = PRICED[kind][1], books.row(kind, document)["xero_id"]
    path = f"organisations/{books.world.sandbox.tenant()}/{collection}/{key}"
    books.world.sandbox.control("PATCH", path, {"LineItems": [{**line, "Tracking": tracking}]})


WAYS: dict[str, tuple[Any, Any]] = {"contact": (namesakes, to_contact), "department": (options, to_department)}


@pytest.mark.parametrize("what", WAYS)
def test_a_choice_about_one_does_not_hold_for_the_other(books: Books, what: str) -> None:
    """Neither for a reading of Xero, nor for a push that meets it first."""
    names, change = WAYS[what]
    first, second = names(books)
    for kind in ("bills", "purchase_orders"):
        document = books.add(kind, Line("10"))
        books.push(kind)
        sweep(books)
        change(books, kind, document, first)
        sweep(books)
        [before] = differing(books, document)
        put_off(books, before.id)
        choose(books, document, "qicworks")
        books.world.query("UPDATE xero_sync.followed_document SET compared = ''")
        sweep(books, full=True)
        [same] = differing(books, document)
        assert (same.chosen, same.seen, same.acknowledged_until is None) == ("qicworks", before.seen, False)
        change(books, kind, document, second)
        books.edit(kind, document, push_state="ready")
        books.push(kind)
        [now] = differing(books, document)
        assert (now.ours, now.theirs) == (before.ours, before.theirs), "they have one name"
        assert (now.chosen, now.acknowledged_until) == (None, None), kind
        assert now.seen != before.seen, "who has seen the first has not seen the second"
        choose(books, document, "qicworks")
        change(books, kind, document, first)
        sweep(books)
        assert [one.chosen for one in differing(books, document)] == [None], kind
        choose(books, document, "qicworks")
        books.edit(kind, document, push_state="ready")
        books.push(kind)
        assert differing(books, document) == [], kind


def test_leave_of_another_employee_and_of_a_third(world: World) -> None:
    world.sandbox.settings(limits=False)
    payroll = Payroll(world)
    one, two, three = payroll.paid_by_the_hour()[:3]
    document = leave_pushed(payroll, one, date(2026, 12, 7), date(2026, 12, 8))
    path = f"organisations/{world.sandbox.tenant()}/LeaveApplications/{id_in_xero(payroll, document)}"
    put_off_until = []
    for other in (two, three):
        world.sandbox.control("PATCH", path, {"EmployeeID": other})
        world.pull("leave_applications")
        [found] = world.query("SELECT id, acknowledged_until FROM xero_sync.difference WHERE settled_at IS NULL")
        put_off_until.append(found["acknowledged_until"])
        world.query("UPDATE xero_sync.difference SET acknowledged_until = now() + interval '1 day'")
    assert put_off_until == [None, None]
