"""What is asked for by name, on the command line and while another run is active: done, retried, or reported."""

import uuid
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest

from tests.support.pushing import Books, File
from tests.support.world import World
from xero.cli import keys
from xero.composition import NoSuchConnection
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.runs import events, lease
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.sync.runs.outcome import Busy, Skip
from xero.sync.runs.participants import select_connections_to_push
from xero.sync.runs.requested import Answer, NotDone, Reply, insist, now

BILLS = KINDS["bills"]
BY_NAME = Origin(by_name=True)


@pytest.fixture
def books(furnished_template: str, furnished: Books, world: World) -> Books:
    return furnished.copied(world)


@contextmanager
def another_run(books: Books, direction: str, data_set: str) -> Iterator[None]:
    """At work on this pair."""
    with database.session(books.world.engine) as session:
        assert lease.acquire(session, books.connection_id, direction, data_set)
        yield


def test_beside_another_run_it_is_tried_again_and_not_dropped(books: Books) -> None:
    world = books.world
    document = books.add("bills", state="failed")
    with another_run(books, "push", "bills"):
        with pytest.raises(Busy, match="already running in"):
            books.push("bills", documents=[str(document)], origin=BY_NAME)
        with pytest.raises(Skip, match="already running in"):  # what nobody has named the other one does, too
            books.push("bills")
    with another_run(books, "pull", "tax_codes"):
        with pytest.raises(Busy):
            world.pull("tax_codes", origin=BY_NAME, full=True)
        assert world.event()["status"] == "warning"
    assert books.row("bills", document)["push_state"] == "failed"
    assert books.push("bills", documents=[str(document)], origin=BY_NAME).counts.pushed == 1
    assert world.pull("tax_codes", origin=BY_NAME, full=True).status == "success"


def test_what_is_off_by_now_has_an_event(books: Books) -> None:
    world = books.world
    document = books.add("bills")
    pair = books.connection_id
    world.query("UPDATE xero_sync.connection SET enabled = false WHERE id = %s", pair)
    with pytest.raises(Skip, match="was switched off in the meantime"):
        books.push("bills", documents=[str(document)])
    event = world.event()
    assert (event["direction"], event["status"], event["calls"]) == ("push", "warning", 0)
    assert "was switched off in the meantime" in event["message"]
    assert event["outcome"] == "switched_off"
    assert "Switch it on" in event["correction"]


@pytest.mark.parametrize("state", ["ready", "in_flight"])
def test_what_waits_is_tried_again(books: Books, state: str) -> None:
    """Somebody holds it in the database, or it is not known yet whether Xero has it."""
    document = str(books.add("bills", number="B-1", state=state))
    told = now(books.world.engine, BILLS, str(books.connection_id), [document], {})
    assert [(one.name, one.answer) for one in told] == [("bill B-1", Answer.WAITS)]
    with pytest.raises(Busy, match=f"bill B-1 waits: it is {state}"):
        insist(told, 2)
    with pytest.raises(NotDone):  # a person has to look at one of them anyhow
        insist([*told, Reply("bill B-2", Answer.UNKNOWN, "no")])


def test_two_of_one_number_both_wait_and_each_has_its_id(books: Books) -> None:
    first, second = (str(books.add("bills", number="B-1")) for _ in range(2))
    told = now(books.world.engine, BILLS, str(books.connection_id), [first, second], {})
    assert [(one.id, one.answer) for one in told] == [(first, Answer.WAITS), (second, Answer.WAITS)]


def test_a_document_whose_file_failed_is_not_done(books: Books) -> None:
    document = books.add("invoices", number="INV-1", files=[File("a<b>.pdf", b"%PDF")])
    by_name = books.world.command("push", "invoices", "--document", "INV-1")
    assert (by_name.returncode, "not all of its files" in by_name.stdout) == (1, True)
    assert books.row("invoices", document)["push_state"] == "pushed"
    assert books.world.command("push", "invoices", "--document", "INV-1").returncode == 1, "it still lacks the file"


def test_a_document_whose_file_waits_is_not_done(books: Books) -> None:
    document = books.add("invoices", number="INV-1")
    assert books.world.command("push", "invoices", "--document", "INV-1").returncode == 0
    books.attach("invoices", document, File("a.pdf", b"%PDF"))
    [reply] = now(books.world.engine, KINDS["invoices"], str(books.connection_id), [str(document)], {})
    assert (reply.answer, "not all of its files" in reply.says) == (Answer.WAITS, True)
    [reply] = now(books.world.engine, KINDS["invoices"], str(books.connection_id), [str(document)], {}, files=False)
    assert reply.answer == Answer.PUSHED


def test_a_dry_run_at_the_terminal_answers_for_what_is_in_flight(books: Books) -> None:
    books.add("bills", number="B-1", state="in_flight")
    asked = books.world.command("push", "bills", "--document", "B-1", "--dry-run")
    assert (asked.returncode, "bill B-1 waits" in asked.stderr) == (1, True)


def test_the_exit_code_says_that_a_file_failed(books: Books) -> None:
    books.add("invoices", number="INV-1", files=[File("a<b>.pdf", b"%PDF")])
    assert books.world.command("push", "invoices").returncode == 1


def test_when_all_are_off_nothing_is_pushed_and_that_is_said(books: Books) -> None:
    books.add("invoices", number="INV-1")
    books.world.query("UPDATE xero_sync.connection SET enabled = false")
    for more in ([], ["--retry-failed"], ["--dry-run"]):
        asked = books.world.command("push", "invoices", *more)
        assert (asked.returncode, "switched off" in asked.stderr) == (1, True)


def test_reconcile_says_who_needs_to_be_connected_again(books: Books) -> None:
    books.world.query(
        "UPDATE xero_sync.connection SET state = 'needs_reconnect', state_reason = 'revoked' WHERE id = %s",
        books.connection_id,
    )
    asked = books.world.command("reconcile")
    assert (asked.returncode, "needs to be connected again" in asked.stderr) == (1, True)


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_beside_others_is_refused(books: Books, name: str) -> None:
    document = books.add("bills", number="B-1")
    asked = books.world.command("push", "bills", "--document", "B-1", name)
    assert (asked.returncode, books.row("bills", document)["push_state"]) == (1, "ready")


OUTCOMES_DONE = {"done", "done_with_remarks", "partly_done", "not_available", "differs"}


def test_only_what_has_done_its_work_is_passed_over_by_a_retry(world: World) -> None:
    """A warning may say that nothing was done: another run was busy, or a limit was reached."""
    origin = Origin(dag_id="pull_tax_codes", run_id="a run", try_number=1)
    id = world.connection_id()
    with database.session(world.engine) as session:
        for outcome in EventOutcome:
            session.execute("DELETE FROM xero_sync.connection_event WHERE run_id = 'a run'")
            how = Direction.PULL, "tax_codes", Status.WARNING, outcome
            events.record(session, id, *how, "said", origin)
            done = events.done_in_run(session, "pull_tax_codes", "a run", Direction.PULL, "tax_codes", [id], 1)
            assert bool(done) == (outcome in OUTCOMES_DONE), outcome


def test_a_data_set_that_xero_does_not_offer_is_not_what_was_asked_for(world: World) -> None:
    world.sandbox.settings(payroll_role=False)
    assert world.command("pull", "staff").returncode == 0, "some have no payroll"
    assert world.command("pull", "staff", "--connection", world.names()[0]).returncode == 1


def test_a_document_that_is_gone_by_then_is_unknown(books: Books) -> None:
    gone = str(uuid.uuid4())
    [told] = now(books.world.engine, BILLS, str(books.connection_id), [gone], {})
    assert (told.answer, told.name) == (Answer.UNKNOWN, f"bill {gone}")


# What one is → whether the command line says 0, the answer's words, and its state afterwards.
COMMANDS = {
    "ready": (0, "bill B-1 was pushed", "pushed"),
    "failed": (0, "bill B-1 was pushed", "pushed"),
    "pushed": (0, "bill B-1 was pushed before", "pushed"),
    "draft": (1, "bill B-1 is draft (push_state)", "draft"),
    "skipped": (1, "bill B-1 is skipped (push_state)", "skipped"),
}


@pytest.mark.parametrize("state", COMMANDS)
@pytest.mark.parametrize("busy", [False, True])
def test_the_exit_code_agrees(books: Books, state: str, busy: bool) -> None:
    code, says, after = COMMANDS[state]
    world, document = books.world, books.add("bills", number="B-1", state="ready" if state == "pushed" else state)
    if state == "pushed":
        books.push("bills")
    if not busy:
        asked = world.main("push", "bills", "--document", "B-1")
        assert (asked.returncode, says in asked.stdout + asked.stderr) == (code, True)
        assert books.row("bills", document)["push_state"] == after
        return
    with another_run(books, "push", "bills"):
        assert world.main("push", "bills", "--document", "B-1").returncode == 1
    assert books.row("bills", document)["push_state"] == state


@pytest.mark.parametrize("called", ["Get switched off Pty Ltd", "Switched off Pty Ltd", "To be connected again"])
def test_no_name_decides_the_exit_code(books: Books, called: str) -> None:
    """Who is switched off is left out on purpose; who has to be connected again is not."""
    world, one = books.world, books.connection_id
    books.add("bills")
    world.query("UPDATE qicworks.organisation SET name = %s WHERE id = %s", called, books.organisation_id)
    world.query("UPDATE xero_sync.connection SET enabled = false WHERE id = %s", one)
    assert [world.main(*command).returncode for command in (["push", "bills"], ["pull", "tax_codes"])] == [0, 0]
    lost = "UPDATE xero_sync.connection SET enabled = true, state = 'needs_reconnect' WHERE id = %s"
    world.query(lost, one)
    assert [world.main(*command).returncode for command in (["push", "bills"], ["pull", "tax_codes"])] == [1, 1]


def test_of_several_the_others_are_pushed(books: Books) -> None:
    world, other = books.world, Books(books.world, 1)
    good, second = books.add("bills", number="B-1"), other.add("bills", number="B-2")
    asked = world.main("push", "bills", "--document", str(good).upper(), "B-9", "B-2")
    assert asked.returncode == 1
    assert "not done: no connected organisation has bill B-9" in asked.stderr
    assert [one.row("bills", id)["push_state"] for one, id in ((books, good), (other, second))] == ["pushed"] * 2
    foreign = world.main("push", "bills", "--connection", world.names()[0], "--document", "B-2")
    assert foreign.returncode == 1, "it is another's"
    assert f"{world.names()[0]} has no bill B-2" in foreign.stderr
    told = world.query("SELECT document FROM xero_sync.connection_event WHERE status = 'error' AND direction = 'push'")
    assert {row["document"] for row in told} == {"bill B-9", "bill B-2"}


@pytest.mark.parametrize("empty", [["--document", ""], ["--document", " ", ""], ["--connection", ""]])
def test_an_empty_name_names_nothing(books: Books, empty: list[str]) -> None:
    world, document = books.world, books.add("bills")
    asked = world.main("push", "bills", *empty)
    assert (asked.returncode, "an empty name names no" in asked.stderr) == (1, True)
    assert books.row("bills", document)["push_state"] == "ready"
    world.calls()
    if empty[0] == "--connection":
        assert world.main("pull", "tax_codes", *empty).returncode == 1
        assert world.main("reconcile", *empty).returncode == 1
        assert world.calls() == []


def test_whose_turn_it_is_names_what_nobody_can_do(books: Books) -> None:
    books.add("bills", number="B-1")
    world, name = books.world, books.world.names()[0]
    world.query("UPDATE xero_sync.connection SET enabled = false WHERE id = %s", books.connection_id)
    for how in ((None, ["B-1"]), (name, ["B-1"]), (name, None)):
        turns = select_connections_to_push(world.engine, BILLS, *how)
        assert (turns.taken, turns.left_out) == ([], [])
        [told] = turns.undone
        assert (told.answer, "switched off" in told.says) == (Answer.LEFT_OUT, True)
    assert list(map(str, select_connections_to_push(world.engine, BILLS).left_out)) == [
        f"{name}: switched off; its documents wait"
    ]


def test_what_is_lost_and_asked_for_by_name_is_looked_for_and_not_sent(books: Books) -> None:
    """Marked as on its way, and no request knows of it: a person looks first."""
    document = books.add("bills", number="B-1")
    books.edit("bills", document, push_state="in_flight")
    books.world.calls()
    outcome = books.push("bills", documents=[str(document)], origin=BY_NAME)
    assert (outcome.counts.pushed, outcome.counts.failed) == (0, 1)
    row = books.row("bills", document)
    assert (row["push_state"], "check in Xero" in row["push_error"]) == ("failed", True)
    assert [call for call in books.world.calls() if call["method"] != "GET"] == []
    told = now(books.world.engine, BILLS, str(books.connection_id), [str(document)], {})
    assert [one.answer for one in told] == [Answer.FAILED]


@pytest.mark.parametrize("action", ["check", "rotate"])
def test_keys_are_not_lost_with_an_airflow_connection(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    """Of one that is not set here nobody is told to connect everybody again."""

    def gone(conn_id: str) -> NoReturn:
        raise NoSuchConnection(conn_id)

    monkeypatch.setattr(keys, "app_of", gone)
    assert getattr(keys, f"run_{action}")(world.engine, Namespace()) == 1
    said = capsys.readouterr().err
    assert "no Airflow connection 'xero_default'" in said
    assert "connect to Xero again" not in said
    assert "cannot be decrypted with any key" not in said
