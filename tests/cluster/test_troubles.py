"""The queue, a worker, the database of QicWorks die while tasks wait and run: nothing is lost, nothing is doubled."""

import pytest

from demo.story import PATIENCE
from tests.support.cluster import Ring
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

PULLS = ("pull_contacts", "pull_chart_of_accounts", "pull_tax_codes", "pull_tracking_categories", "pull_pay_codes")

PUSHED = """
    SELECT DISTINCT ON (organisation_id) id, organisation_id FROM qicworks.invoice
     WHERE push_state = 'pushed' AND number LIKE 'IV-20%%' ORDER BY organisation_id, number
"""
CONTACTS = """
    SELECT contact.xero_id::text, contact.name FROM qicworks.contact
      JOIN xero_sync.connection ON connection.id = connection_id WHERE tenant_id = %s
"""


def ready(ring: Ring, mark: str, each: int) -> set[str]:
    """The numbers of new invoices, so many for each organisation."""
    numbers = set()
    for model in ring.query(PUSHED):
        for count in range(each):
            number = f"{mark}-{count:02d}"
            id = ring.copy_invoice(model["id"], number)
            ring.query("UPDATE qicworks.invoice SET push_state = 'ready' WHERE id = %s RETURNING id", id)
            numbers.add(number)
    return numbers


def start(ring: Ring, *dag_ids: str) -> dict[str, str]:
    return {dag_id: ring.api.trigger(dag_id) for dag_id in dag_ids}


def ended(ring: Ring, runs: dict[str, str]) -> dict[str, str]:
    return {dag_id: ring.state(run, PATIENCE, dag_id) for dag_id, run in runs.items()}


def each_stands_in_xero_once(ring: Ring, mark: str, each: int) -> None:
    held = ring.query("SELECT push_state, push_error FROM qicworks.invoice WHERE number LIKE %s", f"{mark}-%")
    assert len(held) == each * len(ring.organisations())
    assert {row["push_state"] for row in held} == {"pushed"}, held
    for organisation in ring.organisations():
        there = ring.sandbox("GET", f"organisations/{organisation['tenant']}/Invoices")
        numbers = sorted(one["InvoiceNumber"] for one in there if str(one["InvoiceNumber"]).startswith(f"{mark}-"))
        assert numbers == [f"{mark}-{count:02d}" for count in range(each)]


def test_the_queue_dies_with_tasks_in_it(ring: Ring) -> None:
    """Redis writes down what waits; what it forgets in the last second, the scheduler queues again."""
    ready(ring, "RED", 3)
    with ring.workers_held():
        runs = start(ring, *PULLS, "push_invoices")
        # Each worker was waiting for one when it stopped: that one is on its way to it, and the others lie in Redis.
        until(lambda: ring.in_queue() >= len(runs) - len(ring.workers), PATIENCE)
        ring.cluster.kill("redis")
    assert not ring.cluster.healthy("redis")
    ring.cluster.start("redis")
    assert ended(ring, runs) == dict.fromkeys(runs, "success")
    each_stands_in_xero_once(ring, "RED", 3)
    for run in runs.values():
        events = ring.events(run)
        settled = [event["connection_id"] for event in events if event["status"] in ("success", "warning")]
        assert len(set(settled)) == len(ring.organisations())
        assert not [event for event in events if event["status"] == "running"]


def test_qicworks_database_restarts_in_the_middle_of_a_load(ring: Ring) -> None:
    largest = ring.organisations()[0]
    ring.sandbox("POST", f"organisations/{largest['tenant']}/Contacts/touch", {"count": 500})
    ring.sandbox("PATCH", "settings", {"max_page_size": 100})
    with ring.hold("/Contacts", tenant=largest["tenant"], skip=2) as wait_until_held:
        run = ring.trigger(connection=largest["name"], full_refresh=True)
        wait_until_held(patience=PATIENCE)
        assert staged(ring) > 0
        ring.cluster.kill("qicworks-db")
        assert not ring.cluster.healthy("qicworks-db")
    ring.sandbox("PATCH", "settings", {"max_page_size": 1000})
    ring.cluster.start("qicworks-db")

    assert ring.state(run, PATIENCE) == "success"
    held = {row["xero_id"]: row["name"] for row in ring.query(CONTACTS, largest["tenant"])}
    truth = ring.sandbox("GET", f"organisations/{largest['tenant']}/Contacts")
    assert held == {contact["ContactID"]: contact["Name"] for contact in truth}
    assert staged(ring) == 0
    *before, last = ring.events(run)
    assert last["status"] == "success"
    assert [event["status"] for event in before] == ["error"], "the operator sees that the first try was cut off"
    assert before[0]["message"].startswith("interrupted")


def staged(ring: Ring) -> int:
    return int(ring.query("SELECT count(*) FROM xero_sync.stage_contact")[0]["count"])


def test_a_worker_dies_in_a_push_and_the_other_settles_it(ring: Ring) -> None:
    ready(ring, "WRK", 2)
    everybody = len(ring.organisations())
    # Xero has made the invoices, and the answer is on its way.
    with ring.hold("/Invoices", done=True, method="PUT") as wait_until_held:
        runs = start(ring, "push_invoices")
        [run] = runs.values()
        wait_until_held(everybody, PATIENCE)
        assert in_flight(ring) == everybody
        victim, pushes = max(pushing(ring, run).items(), key=lambda one: one[1])
        assert pushes
        ring.cluster.kill(victim)

    assert ended(ring, runs) == {"push_invoices": "success"}
    each_stands_in_xero_once(ring, "WRK", 2)
    events = ring.events(run)
    cut = [event for event in events if event["status"] == "error" and event["message"].startswith("interrupted")]
    assert len(cut) == pushes, [(event["status"], event["message"]) for event in events]
    assert {event["try_number"] for event in cut} == {1}
    assert not [event for event in events if event["status"] == "running"]
    assert not ring.cluster.running(victim), "the other one has done it"


def in_flight(ring: Ring) -> int:
    """Of how many organisations invoices are on their way."""
    count = "SELECT count(DISTINCT organisation_id) FROM qicworks.invoice WHERE push_state = 'in_flight'"
    return int(ring.query(count)[0]["count"])


def pushing(ring: Ring, run: str) -> dict[str, int]:
    """Worker → how many pushes of this run it was given."""
    return {
        worker: len(
            [
                line
                for line in ring.cluster.log(worker).read_text().splitlines()
                if "Executing workload" in line and run in line and "task_id='push'" in line
            ]
        )
        for worker in ring.workers
    }
