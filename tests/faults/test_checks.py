"""Each check of the proof holds where all is well, and complains once something is not: for each guard a break."""

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.faults.proof import equality, gather, once, provenance, secrecy, tasks, told
from tests.faults.proof.facts import Call, Facts, Row, Side
from tests.faults.sides import Books, Live, Pay
from tests.support.postgres import a_copy
from tests.support.pushing import PRICED, File, Line
from tests.support.sandbox import Sandbox
from xero.composition import opener
from xero.datasets.registry import DATASETS
from xero.documents.declaration import Delivery
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.runs.events import Origin
from xero.sync.push.flow import push

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
Break = Callable[[Facts], Any]


@pytest.fixture(scope="module")
def facts(sandbox_url: str, postgres_url: str, template: str) -> Iterator[Facts]:
    """Of one organisation that was pulled, pushed and pulled again, with nothing wrong."""
    sandbox = Sandbox(sandbox_url)
    sandbox.reset()
    sandbox.settings(limits=False)
    with a_copy(postgres_url, template) as url:
        live = Live(sandbox, database.engine(url), url)
        assert live.connect() == 0
        live.tenants = [sandbox.tenant()]
        yield of_one(live)
        live.engine.dispose()
    sandbox.close()


def of_one(live: Live) -> Facts:
    live.query(
        "INSERT INTO qicworks.invoice (organisation_id, number, total, balance, status, push_state, xero_id,"
        " xero_status, pushed_at) SELECT organisation_id, %s, %s, %s, 'Un-paid', 'pushed', %s, 'DRAFT', '2024-01-01'"
        " FROM xero_sync.connection WHERE id = %s",
        *paid_invoice(live),
        live.connections[0]["id"],
    )
    for data_set in DATASETS:
        live.pull(data_set)
    books, pay = Books(live, 0, "T-"), Pay(live, 0)
    templates = {live.tenants[0]: {key: one["PayTemplate"] for key, one in pay.employees.items()}}
    for kind in PRICED:
        books.add(kind, Line("12.34", "3"), number=books.next_number(kind), files=[File()])
        books.add(kind, number=books.next_number(kind), contact_id=None)
    employee = pay.able[0]
    pay.pay_hours(employee, "30.4")
    pay.take_leave(employee)
    open_client = opener(live.engine, live.app, backoff=(0.05,))
    for one in KINDS.values():
        push(one, live.connection_id(), engine=live.engine, open_client=open_client, origin=Origin())
    for data_set in DATASETS:
        live.pull(data_set, full=True)
    facts = Facts(calls=gather.calls(live), sides=gather.sides(live, [books], {0: pay}, set(), templates))
    gather.plumbing(live, facts)
    return facts


def paid_invoice(live: Live) -> tuple[Any, ...]:
    one = next(one for one in live.sandbox.truth("Invoices") if one["Type"] == "ACCREC" and one["Status"] == "PAID")
    return one["InvoiceNumber"], one["Total"], one["Total"], one["InvoiceID"]


def side(facts: Facts) -> Side:
    return facts.sides[0]


def broken(facts: Facts, table: str, **columns: Any) -> None:
    """The first active row says something else."""
    next(row for row in side(facts).held[table] if row["is_active"]).update(columns)


def document(facts: Facts, kind: str, state: str = "pushed") -> Row:
    return next(one.row for one in side(facts).documents if (one.kind, one.row["push_state"]) == (kind, state))


def twice(facts: Facts) -> None:
    record = copy.deepcopy(side(facts).records[0])
    record.xero_id = "another"
    side(facts).records.append(record)


def lost(facts: Facts) -> None:
    side(facts).records = [one for one in side(facts).records if "invoices" not in one.kinds]


def event_of(facts: Facts, **columns: Any) -> None:
    """The last of a pull with calls says something else."""
    next(one for one in reversed(facts.events) if one["calls"] and one["direction"] == "pull").update(columns)


def last_call_is_later(facts: Facts) -> None:
    facts.calls[-1].at = facts.calls[-1].at + timedelta(hours=1)


BREAKS: dict[str, tuple[Any, Break]] = {
    **{
        f"{table.name} is another": (
            equality.check,
            lambda facts, table=table.name: broken(facts, table, is_active=False),
        )
        for dataset in DATASETS.values()
        for table in dataset.tables
        if table.name != "invoice_balance"
    },
    "a contact is missing": (equality.check, lambda facts: side(facts).held["contact"].pop()),
    "a contact is too many": (
        equality.check,
        lambda facts: (
            side(facts)
            .held["contact"]
            .append({**side(facts).held["contact"][0], "xero_id": uuid4(), "is_active": True})
        ),
    ),
    **{
        f"one {table} was not followed": (equality.check, lambda facts, table=table: side(facts).held[table].pop())
        for table in ("invoice_record", "credit_note_record", "purchase_order_record")
    },
    "an invoice is not in balance": (equality.check, lambda facts: side(facts).invoices[0].update(balance=-1)),
    "a data set came with nothing": (equality.check, lambda facts: side(facts).truth["TaxRates"].clear()),
    **{
        f"one of {kind} is not as in Xero": (
            once.check,
            lambda facts, kind=kind: next(
                one.ours.update(**{next(iter(one.ours)): "another"})
                for one in side(facts).documents
                if (one.kind, one.row["push_state"]) == (kind, "pushed")
            ),
        )
        for kind, declared in KINDS.items()
        if declared.delivery is not Delivery.CONTACTS  # none of what is made there
    },
    "a document is there twice": (once.check, twice),
    "a document is not there": (once.check, lost),
    "two documents are one record": (
        once.check,
        lambda facts: document(facts, "bills").update(xero_id=document(facts, "expenses")["xero_id"]),
    ),
    "a document still waits": (once.check, lambda facts: document(facts, "invoices").update(push_state="in_flight")),
    "no words": (once.check, lambda facts: document(facts, "bills", "failed").update(push_error="")),
    "no correction": (once.check, lambda facts: document(facts, "bills", "failed").update(push_correction=None)),
    "a file is missing": (
        once.check,
        lambda facts: next(one.attached.clear() for one in side(facts).documents if one.attached),
    ),
    "a request is open": (once.check, lambda facts: facts.requests[0].update(closed_at=None)),
    "a call is in no event": (told.check, last_call_is_later),
    "an event is open": (told.check, lambda facts: event_of(facts, status="running", ended_at=None)),
    "an event is of nobody": (told.check, lambda facts: event_of(facts, connection_id=None)),
    "an event says nothing": (told.check, lambda facts: event_of(facts, message=None)),
    "an event has other calls": (told.check, lambda facts: event_of(facts, calls=77)),
    "an event has fewer calls": (told.check, lambda facts: event_of(facts, calls=0)),
    "an error has no correction": (told.check, lambda facts: event_of(facts, status="error", correction=None)),
    "no connection": (provenance.check, lambda facts: broken(facts, "contact", connection_id=None)),
    "another's organisation": (provenance.check, lambda facts: broken(facts, "account", organisation_id=uuid4())),
    "never synced": (provenance.check, lambda facts: broken(facts, "staff", synced_at=None)),
    "of no record": (provenance.check, lambda facts: broken(facts, "tax_code", tax_type=None)),
    "left in staging": (provenance.check, lambda facts: facts.staged.update(stage_contact=3)),
    "a staging is left": (
        provenance.check,
        lambda facts: facts.staging.append({"data_set": "contacts", "started_at": NOW, "connection_id": None}),
    ),
    "a cursor is ahead": (
        provenance.check,
        lambda facts: next(one for one in facts.cursors if one["data_set"] == "contacts").update(
            high_water=datetime.now(UTC) + timedelta(days=9)
        ),
    ),
    "rejected for no reason": (
        provenance.check,
        lambda facts: facts.rejections.append(
            {
                "reasons": [],
                "event_id": 1,
                "table_name": "contact",
                "key": "x",
                "closed_at": None,
                "connection_id": None,
            }
        ),
    ),
}


def test_where_all_is_well_nothing_is_complained_of(facts: Facts) -> None:
    for check in (equality.check, once.check, told.check, provenance.check):
        result = check(facts)
        print(result.compared)
        assert result.wrong == []


@pytest.mark.parametrize("name", BREAKS)
def test_each_break_is_seen(facts: Facts, name: str) -> None:
    check, damage = BREAKS[name]
    damaged = copy.deepcopy(facts)
    damage(damaged)
    assert check(damaged).wrong


def test_secrets_are_found_wherever_they_stand() -> None:
    secrets = {"refresh token": ["s3cret-refresh-token"], "tax file number": ["123456782"], "short": ["1234567"]}
    clean = [("file a.log", "nothing of it, 1234567"), ("table airflow.xcom", "12345678 91234567820")]
    assert secrecy.check(Facts(secrets=secrets, texts=clean)).wrong == []
    for text in (
        "at=s3cret-refresh-token;",
        "tfn 123456782",
        "Authorization: Bearer abcdefghijklmnop.qrs",
        "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0NTY3.SflKxwRJSMeKKF2QT4",
    ):
        wrong = secrecy.check(Facts(secrets=secrets, texts=[*clean, ("file b.log", text)])).wrong
        assert len(wrong) == 1
        assert wrong[0].startswith("file b.log: ")
        assert "s3cret" not in wrong[0]
    assert secrecy.check(Facts(secrets=secrets)).wrong, "nothing was searched"


def test_every_red_task_has_somebody_who_says_why() -> None:
    def task(**how: Any) -> Row:
        known = {"dag_id": "pull_staff", "run_id": "r1", "task_id": "pull", "map_index": 1, "state": "failed"}
        return {**known, **how}

    key = {"dag_id": "pull_staff", "run_id": "r1", "task_id": "pull", "map_index": 1}
    event = {**key, "status": "error", "message": "it broke", "correction": "mend it"}
    well = task(state="success", map_index=0)

    def wrong(*tasks_: Row, **how: Any) -> list[str]:
        run = {"dag_id": "pull_staff", "run_id": "r1", "state": "failed"}
        return tasks.check(Facts(**{"tasks": [well, *tasks_], "runs": [run], **how})).wrong

    assert wrong() == []
    assert wrong(task(task_id="watcher")) == []
    assert wrong(task()), "nothing says why"
    assert wrong(task(), events=[event]) == []
    assert wrong(task(), events=[{**event, "correction": None}])
    assert wrong(task(), events=[{**event, "map_index": 2}])
    assert wrong(task(), audits=[key]) == []
    assert wrong(task(), task_logs={tuple(key.values()): '{"level":"error"}'}) == []
    assert wrong(task(), task_logs={tuple(key.values()): '{"level":"info"}'})
    for state in ("running", "queued", None):
        assert wrong(task(state=state))
    assert wrong(runs=[{"dag_id": "d", "run_id": "r", "state": "running"}])


def test_calls_are_counted_by_groups_of_events_that_overlap() -> None:
    def event(id: int, start: float, end: float, calls: int, message: str = "loaded") -> Row:
        times = {"started_at": NOW + timedelta(seconds=start), "ended_at": NOW + timedelta(seconds=end)}
        return {"id": id, **times, "calls": calls, "message": message}

    events = [event(1, 0, 10, 1), event(2, 5, 20, 2), event(3, 8, 9, 0), event(4, 30, 40, 1)]
    assert [[one["id"] for one in group] for group in told.together(events)] == [[1, 2, 3], [4]]
    calls = [Call(NOW + timedelta(seconds=at), "GET", "/api.xro/2.0/Contacts", "t", 200) for at in (1, 6, 15, 35)]
    assert [told.agree(group, calls) for group in told.together(events)] == [(3, []), (1, [])]
    _, [wrong] = told.agree(events[:3], calls[1:])
    assert "3 calls, 2 were made" in wrong
    gone = [event(1, 0, 10, 1, told.INTERRUPTED + ".")]
    assert told.agree(gone, calls) == (0, [])
    assert told.agree([{**gone[0], "calls": 9}], calls)[1]
