"""A clerk whose role has rights to some DAGs only, sees, starts and exports only what belongs to those."""

import csv
import io
import re
from collections.abc import Iterable
from uuid import UUID

import pytest
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session

from tests.support.page_runs import run_of, words
from tests.support.pages import Browser
from tests.support.pushing import Books
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS

# What the fixture `clerk` has rights to.
PULLED, READ = "contacts", "staff"
PUSHED, LISTED = "invoices", "bills"
THEIRS = {("pull", PULLED), ("pull", READ), ("push", PUSHED), ("push", LISTED)}
FOREIGN_DATA_SETS = sorted(DATASETS.keys() - {PULLED, READ})
FOREIGN_KINDS = sorted(KINDS.keys() - {PUSHED, LISTED})


def runs() -> list[str]:
    """The DAG of each run that there is."""
    with create_session() as session:
        return sorted(dag_id for (dag_id,) in session.query(DagRun.dag_id))


def started(before: Iterable[str]) -> list[str]:
    now = runs()
    for dag_id in before:
        now.remove(dag_id)
    return now


def test_only_what_may_be_triggered_is_offered_and_pulled(clerk: Browser, books: Books) -> None:
    before = runs()
    page = clerk.read(f"synchronise?connection={books.connection_id}")
    assert re.findall(r'name="data_set" value="(\w+)"', page) == [PULLED]
    for wanted in ([READ], [PULLED, READ], [PULLED, "tax_codes"], *([name] for name in FOREIGN_DATA_SETS)):
        refused = clerk.press("synchronise", {"connection": books.connection_id, "data_set": wanted})
        assert refused.status_code == 403, wanted
        assert f"This needs the right to trigger the DAG pull_{wanted[-1]}." in words(refused.text)
    assert started(before) == []

    pulled = clerk.press("synchronise", {"connection": books.connection_id, "data_set": PULLED})
    assert run_of(pulled.headers["location"])[0] == f"pull_{PULLED}"
    assert "Pull: Contacts" in words(clerk.read(pulled.headers["location"].removeprefix("/xero/")))
    every = clerk.press("synchronise", {"connection": books.connection_id, "every": "set-up"})
    assert run_of(every.headers["location"])[0] == f"pull_{PULLED}"
    assert started(before) == [f"pull_{PULLED}"] * 2


@pytest.mark.parametrize("dag_id", [*map("pull_{}".format, FOREIGN_DATA_SETS), *map("push_{}".format, FOREIGN_KINDS)])
def test_no_other_run_is_shown(clerk: Browser, books: Books, dag_id: str) -> None:
    refusal = f"You may not read the DAG {dag_id}."
    for path in (f"synchronise/{dag_id}/a", f"synchronise/{dag_id}/a/now", f"synchronise/runs?run={dag_id}~a"):
        assert refusal in words(clerk.read(path, 403))


@pytest.fixture
def events(books: Books) -> dict[tuple[str, str], int]:
    """(Direction, data set) → the id of an event, one of each that there can be."""
    books.world.query("DELETE FROM xero_sync.connection_event WHERE message = 'seen'")
    insert = (
        "INSERT INTO xero_sync.connection_event (connection_id, ended_at, direction, data_set, status, message)"
        " VALUES (%s, now(), %s, %s, 'error', 'seen') RETURNING id"
    )
    every = [("connect", "connections")]
    every += [(direction, name) for direction in ("pull", "push") for name in {**DATASETS, **KINDS}]
    return {pair: books.world.query(insert, books.connection_id, *pair)[0]["id"] for pair in every}


def test_only_their_events_are_listed_exported_and_opened(
    clerk: Browser, books: Books, events: dict[tuple[str, str], int]
) -> None:
    page = clerk.read("events?status=error")
    assert set(map(int, re.findall(r"/xero/events/(\d+)", page))) == {events[pair] for pair in THEIRS}
    [choices] = re.findall(r'<select[^>]* name="data_set".*?</select>', page, re.DOTALL)
    assert {name for name in re.findall(r'value="(\w*)"', choices) if name} == {PULLED, READ, PUSHED, LISTED}

    exported = list(csv.DictReader(io.StringIO(clerk.read("events.csv"))))
    assert {(row["direction"], row["data_set"]) for row in exported} == THEIRS
    for (direction, name), id in events.items():
        clerk.read(f"events/{id}", 200 if (direction, name) in THEIRS else 404)
        listed = clerk.read(f"events?direction={direction}&data_set={name}&status=error")
        assert (f"/xero/events/{id}" in listed) == ((direction, name) in THEIRS), (direction, name)


def test_the_overview_and_a_connection_count_only_theirs(
    clerk: Browser, books: Books, events: dict[tuple[str, str], int]
) -> None:
    for number, kind in enumerate((PUSHED, LISTED, "expenses", "purchase_orders")):
        books.add(kind, number=f"O-{number}", state="failed", push_error="refused", push_correction="Change it.")
    overview, connection = clerk.read(""), clerk.read(f"connections/{books.connection_id}")
    assert set(re.findall(r"documents\?kind=(\w+)", overview)) == {PUSHED, LISTED}
    assert set(map(int, re.findall(r"/xero/events/(\d+)", overview))) == {events[pair] for pair in THEIRS}
    [titles] = re.findall(r"<thead><tr><th[^>]*>Organisation</th>(.*?)</tr></thead>", overview)[:1]
    assert re.findall(r">([^<]+)</th>", titles) == [PULLED.capitalize(), READ.capitalize()]
    for page in overview, connection:
        named = re.findall(r'<th scope="row"[^>]*>(pull|push|connect) ([\w ]+)</th>', page)
        assert {(direction, name.replace(" ", "_")) for direction, name in named} == THEIRS


def test_only_what_may_be_pushed_is_ticked_and_pushed(clerk: Browser, books: Books) -> None:
    before = runs()
    page = clerk.read("documents")
    assert set(re.findall(r"/xero/documents\?kind=(\w+)", page)) == {PUSHED, LISTED}
    for kind, may_push in ((PUSHED, True), (LISTED, False)):
        id = books.add(kind, number=f"S-{kind}")
        listed = clerk.read(f"documents?kind={kind}&text=S-")
        assert f"S-{kind}" in listed
        assert (f'value="{id}"' in listed) == may_push
        answer = clerk.press("documents/push", {"kind": kind, "id": str(id)})
        assert answer.status_code == (303 if may_push else 403), answer.text
    assert started(before) == [f"push_{PUSHED}"]


def test_an_event_leads_only_to_documents_that_may_be_read(clerk: Browser, books: Books) -> None:
    """Of pulls, which they may read."""
    insert = (
        "INSERT INTO xero_sync.connection_event (connection_id, ended_at, direction, data_set, status, message,"
        " document, document_kind, document_id) VALUES (%s, now(), 'pull', %s, 'success', 'seen', 'EV-1', %s, %s)"
        " RETURNING id"
    )
    for kind, may_read in ((PUSHED, True), (LISTED, True), ("expenses", False)):
        document = books.add(kind, number="EV-1")
        [event] = books.world.query(insert, books.connection_id, PULLED, kind, document)
        for page in (f"events/{event['id']}", f"events?data_set={PULLED}"):
            assert (f'href="/xero/documents/{kind}/{document}"' in clerk.read(page)) == may_read, (kind, page)


def test_the_first_day_counts_and_starts_only_theirs(clerk: Browser, books: Books) -> None:
    before, path = runs(), f"connections/{books.connection_id}/first-day"
    for kind in (PUSHED, LISTED, "expenses"):
        books.add(kind, number=f"FD-{kind}")
    page = words(clerk.read(path))
    assert "Only data sets and documents that you may read are counted here." in page
    assert re.search(r"(Never pulled|Failed): Contacts, Staff\.", page), "as the runs of other tests have left them"
    assert "Pull 1 data set" in page, "the other one they may only read"
    assert not [name for name in FOREIGN_KINDS if KINDS[name].title in page]
    pulled = clerk.press(f"{path}/pull")
    assert run_of(pulled.headers["location"])[0] == f"pull_{PULLED}"
    assert started(before) == [f"pull_{PULLED}"]
    checked = clerk.press(f"{path}/dry-run")
    assert set(re.findall(r"<h3>([^<]+)</h3>", checked.text)) == {KINDS[PUSHED].title}
    for kind, status in ((PUSHED, 303), (LISTED, 403), ("expenses", 403)):
        assert clerk.press(f"{path}/unpause", {"kind": kind}).status_code == status, kind


@pytest.mark.parametrize("kind", FOREIGN_KINDS)
def test_no_other_document_is_listed_opened_or_pushed(clerk: Browser, books: Books, kind: str) -> None:
    before = runs()
    refusal = f"You may not read the DAG push_{kind}."
    for path in (f"documents?kind={kind}", f"documents/{kind}/{UUID(int=1)}"):
        assert refusal in words(clerk.read(path, 403))
    refused = clerk.press("documents/push", {"kind": kind, "id": str(UUID(int=1))})
    assert refused.status_code == 403
    assert refusal in words(refused.text)
    assert started(before) == []


def test_who_may_read_none_of_the_dags_sees_no_page(stranger: Browser, books: Books) -> None:
    for path in ("", "connections", "synchronise", "events", "events.csv", "documents", "differences"):
        assert "You do not have access to this page." in words(stranger.read(path, 403))
