"""The lists of documents, against the same question asked in plain Python, for every kind."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine

from tests.support.recorded import NOW, Row, connect, insert
from xero.documents.declaration import Delivery
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.database import Session
from xero.qicworks.views import document_list


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with database.session(engine) as session:
        yield session


def test_documents_of_every_kind(session: Session) -> None:
    """By state, organisation and beginning; whole, page by page; counted; and what pay and leave lack to be pushed."""
    drawn = random.Random(3)
    connect(session, "A", "B")
    of = [one.organisation_id for one in connections.every(session)]
    for kind in KINDS.values():
        for n in range(40):
            organisation_id = drawn.choice(of)
            about: Row = {"organisation_id": organisation_id, "push_state": drawn.choice(document_list.STATES)}
            about["created_at"] = NOW - timedelta(days=drawn.randrange(9))
            if kind.delivery is Delivery.BATCH:
                about["number"] = f"{drawn.choice(['INV', 'X%', 'x_'])}-{n:03}"
                about |= {"side": "customer"} if kind.table == "credit_note" else {}
            elif kind.delivery is Delivery.CONTACTS:
                about["name"] = f"{drawn.choice(['INV', 'X%', 'x_'])}-{n:03}"
            else:
                about["staff_id"] = insert(
                    session, "qicworks.staff", organisation_id=organisation_id, first_name="Ann", last_name=f"Inv-{n}"
                )  # fmt: skip
                days = {"start_date": NOW.date(), "end_date": NOW.date()}
                about["approved_version"] = drawn.choice([None, 1, 2])
                if kind.delivery is Delivery.PAY_TEMPLATE:
                    about["pay_period_id"] = insert(
                        session, "qicworks.pay_period", organisation_id=organisation_id,
                        payroll_calendar_xero_id=UUID(int=n), approved_at=drawn.choice([None, NOW]), **days,
                    )  # fmt: skip
                else:
                    about |= {**days, "hours": 7, "status": drawn.choice(["Requested", "Approved"])}
            insert(session, f"qicworks.{kind.table}", **about)
        rows, place = document_list.page(session, kind, limit=1000)
        assert (len(rows), place) == (40, None)
        assert rows == sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)
        assert document_list.one(session, kind, rows[0]["id"]) == rows[0]
        for states in (None, ["failed"], ["ready", "in_flight"]):
            for organisation in (None, of[0]):
                for text in ("", "inv-", "INV-01", "x_"):
                    name = "who" if kind.payroll else "number"
                    expected = [
                        row
                        for row in rows
                        if (states is None or row["push_state"] in states)
                        and organisation in (None, row["organisation_id"])
                        and (row[name].removeprefix("Ann ")).lower().startswith(text.lower())
                    ]
                    found: list[Row] = []
                    place = None
                    while True:
                        some, place = document_list.page(session, kind, states, organisation, text, place, 7)
                        found += some
                        if place is None:
                            break
                        place = document_list.DocumentPosition.parse(str(place))
                    assert found == expected, (kind.name, states, organisation, text)
        for organisation in (None, of[1]):
            counted = document_list.counts(session, [kind], organisation)[kind.name]
            whose = [row["push_state"] for row in rows if organisation in (None, row["organisation_id"])]
            assert counted == {state: whose.count(state) for state in document_list.STATES}
        waits = Counter(row["waits_for"] is not None for row in rows if row["push_state"] in ("draft", "ready"))
        assert waits[True] > 0 or not kind.payroll
        assert not any(row["waits_for"] for row in rows if row["push_state"] in ("pushed", "failed"))
