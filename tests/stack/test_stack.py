"""Through Airflow's scheduler and its workers: everything pulled and pushed; what goes wrong stays where it did."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from demo.planted import EXPECTED
from demo.processes import members, recorded
from demo.story import PATIENCE
from tests.support.stack import Stack
from tests.support.waiting import until

# Starting everything takes most of it, and the other tests run beside it.
pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

TABLES = {
    "Contacts": "contact",
    "Accounts": "account",
    "TaxRates": "tax_code",
    "TrackingCategories": "tracking_category",
}


def names(stack: Stack, organisation: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Contact id → name, as Xero has them and as QicWorks has them."""
    truth = stack.sandbox("GET", f"organisations/{organisation['tenant']}/Contacts")
    held = stack.query(
        "SELECT xero_id, contact.name FROM qicworks.contact JOIN xero_sync.connection"
        " ON connection.id = connection_id WHERE tenant_id = %s",
        organisation["tenant"],
    )
    return {row["ContactID"]: row["Name"] for row in truth}, {str(row["xero_id"]): row["name"] for row in held}


def rename_some(stack: Stack, organisation: dict[str, Any]) -> None:
    stack.sandbox("POST", f"organisations/{organisation['tenant']}/Contacts/touch", {"count": 20})
    truth, held = names(stack, organisation)
    assert truth != held


def test_everything_is_pulled(stack: Stack) -> None:
    assert "All went well" in stack.said
    assert len(stack.organisations()) == 3
    for organisation in stack.organisations():
        for collection, table in TABLES.items():
            [held] = stack.query(
                f"SELECT count(*) AS count FROM qicworks.{table} JOIN xero_sync.connection"
                " ON connection.id = connection_id WHERE tenant_id = %s",
                organisation["tenant"],
            )
            assert held["count"] == organisation["counts"][collection] > 0, (organisation["name"], table)


def test_everything_is_pushed(stack: Stack) -> None:
    """`make demo` has compared it; here only that there was something to compare."""
    states = "SELECT push_state, count(*) AS count FROM qicworks.{} GROUP BY push_state"
    for table in ("invoice", "bill", "expense", "credit_note", "purchase_order", "payroll_push", "leave_request"):
        held = {row["push_state"]: row["count"] for row in stack.query(states.format(table))}
        assert held.get("pushed", 0) > 1, (table, held)
        assert held.get("failed", 0) > 1, (table, held)
        assert not {"ready", "in_flight"} & set(held), (table, held)


def test_the_tie_out_names_what_was_planted_and_nothing_else(stack: Stack) -> None:
    """`make demo` has compared its CSV with what it planted; here that a newcomer sees it."""
    shown = stack.said[stack.said.index("as the tie-out names them:") :]
    for number, reason in EXPECTED.items():
        assert (number in shown) == (reason is not None), (number, shown)
    opened = {row["reason"] for row in stack.query("SELECT reason FROM xero_sync.difference WHERE settled_at IS NULL")}
    assert {reason for reason in EXPECTED.values() if reason} <= opened


def test_one_document_is_pushed_and_one_data_set_pulled_at_once_by_rest(stack: Stack, root: Path) -> None:
    """By the very calls that docs/rest.md shows."""
    [calls] = re.findall(r"^```sh\n(.*?)^```$", (root / "docs/rest.md").read_text(), re.MULTILINE | re.DOTALL)
    name, number = re.findall(r'"connection": "([^"]+)", "document_ids": \["([^"]+)"\]', calls)[0]
    here = "organisation_id = (SELECT id FROM qicworks.organisation WHERE name = %s)"
    held = f"SELECT push_state, xero_id, push_error FROM qicworks.invoice WHERE number = %s AND {here}"
    [before] = stack.query(held, number, name)
    assert before["push_state"] == "draft"
    ready = f"UPDATE qicworks.invoice SET push_state = 'ready' WHERE number = %s AND {here} RETURNING id"
    assert len(stack.query(ready, number, name)) == 1

    for given, meant in (
        (r"http://(127\.0\.0\.1|localhost):8080", stack.place.airflow),
        ("<password>", stack.place.secrets["admin_password"]),
    ):
        calls, found = re.subn(given, meant, calls)
        assert found == 1
    said = subprocess.run(["sh", "-ec", calls], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    decoder, answers = json.JSONDecoder(), []
    while said.strip():
        answer, end = decoder.raw_decode(said.strip())
        answers.append(answer)
        said = said.strip()[end:]
    runs = {answer["dag_id"]: answer["dag_run_id"] for answer in answers}
    assert set(runs) == {"push_invoices", "pull_tax_codes"}

    assert stack.state(runs["push_invoices"], dag_id="push_invoices") == "success"
    counts = stack.result(runs["push_invoices"], "push_invoices", "push")
    [after] = stack.query(held, number, name)
    assert (counts["pushed"], counts["failed"]) == (1, 0), after["push_error"]
    assert after["push_state"] == "pushed"
    [tenant] = [one["tenant"] for one in stack.organisations() if one["name"] == name]
    there = stack.sandbox("GET", f"organisations/{tenant}/Invoices")
    drafts = [one["InvoiceID"] for one in there if (one["InvoiceNumber"], one["Status"]) == (number, "DRAFT")]
    assert drafts == [str(after["xero_id"])]
    assert stack.state(runs["pull_tax_codes"], dag_id="pull_tax_codes") == "success"
    assert stack.result(runs["pull_tax_codes"], "pull_tax_codes", "pull")["status"] == "success"


def test_a_run_by_hand_beside_one_of_the_same_organisation_is_skipped(stack: Stack) -> None:
    same, *others = stack.organisations()
    with stack.hold("/Contacts", tenant=same["tenant"]) as wait_until_held:
        held = stack.trigger(connection=same["name"])
        wait_until_held(patience=PATIENCE)
        beside = stack.trigger()
        assert stack.state(beside) == "success"
        assert stack.api.state("pull_contacts", held) == "running"

    found = {name: task["state"] for name, task in stack.tasks(beside).items() if name.startswith("pull ")}
    assert found == {f"pull {same['name']}": "skipped"} | {f"pull {other['name']}": "success" for other in others}
    reason = f"already running in pull_contacts, run {held}"
    [number] = {task["map_index"] for name, task in stack.tasks(beside).items() if name == f"pull {same['name']}"}
    assert reason in stack.log(beside, map_index=number)
    [skipped] = [event for event in stack.events(beside) if event["status"] != "success"]
    assert skipped["status"] == "warning"
    assert reason in skipped["message"]
    assert stack.state(held) == "success"


def test_what_was_asked_for_by_name_is_done_after_the_other_run(stack: Stack) -> None:
    """And a setting that there is not is refused, by Airflow's own way."""
    same, *_ = stack.organisations()
    with stack.hold("/Contacts", tenant=same["tenant"]) as wait_until_held:
        held = stack.trigger(connection=same["name"])
        wait_until_held(patience=PATIENCE)
        whole = stack.trigger(connection=same["name"], full_refresh=True)
        until(lambda: "up_for_retry" in {task["state"] for task in stack.tasks(whole).values()}, PATIENCE)
        misspelt = stack.trigger(conection=same["name"])
        assert stack.state(misspelt) == "failed"
        [refused] = stack.events(misspelt)
        assert "there is no setting 'conection'" in refused["message"]
    assert (stack.state(held), stack.state(whole)) == ("success", "success")
    busy, done = stack.events(whole)
    assert ("already running" in busy["message"], done["status"]) == (True, "success")
    assert done["read"] == same["counts"]["Contacts"]


def test_a_killed_task_is_tried_again_and_goes_on_where_it_was(stack: Stack) -> None:
    """Killed between two pages; what is held is the third."""
    organisation = stack.organisations()[0]
    rename_some(stack, organisation)
    stack.sandbox("DELETE", "calls")
    with stack.hold("/Contacts", tenant=organisation["tenant"], skip=2) as wait_until_held:
        run = stack.trigger(connection=organisation["name"], full_refresh=True)
        wait_until_held(patience=PATIENCE)
        for process in working(stack):
            process.kill()
        asked_before = pages_asked_for(stack)
        assert staged(stack) > 0

    assert stack.state(run) == "success"
    task = stack.tasks(run)[f"pull {organisation['name']}"]
    assert (task["state"], task["try_number"]) == ("success", 2)
    assert "resuming an interrupted run, which had read" in stack.log(run, attempt=2)

    truth, held = names(stack, organisation)
    assert held == truth
    assert staged(stack) == 0
    read, unread = set(asked_before[:2]), set(asked_before[2:])
    assert len(read) == 2
    assert len(unread) == 1
    asked_again = set(pages_asked_for(stack)[len(asked_before) :])
    assert unread <= asked_again
    assert not read & asked_again

    killed, finished = stack.events(run)
    assert (killed["status"], killed["try_number"]) == ("error", 1)
    assert killed["message"].startswith("interrupted")
    assert (finished["status"], finished["try_number"]) == ("success", 2)
    assert finished["read"] == organisation["counts"]["Contacts"]


def staged(stack: Stack) -> int:
    return int(stack.query("SELECT count(*) FROM xero_sync.stage_contact")[0]["count"])


def working(stack: Stack) -> list[psutil.Process]:
    """The executor's one worker that has a task, and the task. Another may be about to end one of an earlier run."""
    airflow = recorded(stack.place, "airflow")
    assert airflow
    workers = [process for process in members(airflow) if "LocalExecutor" in " ".join(process.cmdline())]

    def busy() -> list[psutil.Process]:
        return [worker for worker in workers if worker.children()]

    until(lambda: len(busy()) == 1, PATIENCE)
    [one] = busy()
    return [one, *one.children()]


def pages_asked_for(stack: Stack) -> list[str]:
    """What was asked of the largest organisation's contacts, page by page."""
    tenant = stack.organisations()[0]["tenant"]
    return [
        json.dumps([call["headers"].get("if-modified-since"), call["query"]])
        for call in stack.sandbox("GET", "calls")
        if call["tenant"] == tenant and call["path"].endswith("/Contacts")
    ]


def test_nothing_ran_but_what_was_asked_for(stack: Stack) -> None:
    """A run by the clock would be one that no test reckons with."""
    dags = stack.api.session.get(f"{stack.place.airflow}/api/v2/dags", timeout=30).json()["dags"]
    assert "push_invoices" in {dag["dag_id"] for dag in dags}
    assert not {dag["dag_id"]: dag["next_dagrun_run_after"] for dag in dags if dag["next_dagrun_run_after"]}
    url = f"{stack.place.airflow}/api/v2/dags/~/dagRuns"
    counts = {
        kind: stack.api.session.get(url, params={"run_type": kind}, timeout=30).json()["total_entries"]
        for kind in ("scheduled", "manual")
    }
    assert counts["scheduled"] == 0 < counts["manual"]
