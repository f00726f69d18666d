"""Leave that is rejected, taken back or deleted in QicWorks after its push is rejected in Xero, exactly once."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import pytest
import requests

from tests.support.calls import Forward, intercepted, is_write, response
from tests.support.cancelling import differences, events, seen_long_ago, settled
from tests.support.killing import assert_interrupted, kill_at, moments, of_writes, running, spread
from tests.support.paying import Payroll
from tests.support.role import under_role
from tests.support.world import World
from xero.api.errors import RetryLater, XeroError
from xero.composition import opener
from xero.documents.registry import KINDS
from xero.sync.push.flow import preview

LEAVE = "leave_requests"
WEEKS = count(5)


@pytest.fixture
def payroll(world: World) -> Payroll:
    return Payroll(world)


def request(payroll: Payroll, week: int | None = None) -> UUID:
    """An approved one, which is ready."""
    monday = payroll.start_of(week or next(WEEKS))
    document: UUID = payroll.leave(payroll.paid_by_the_hour()[0], monday, monday)
    return document


def pushed(payroll: Payroll, week: int | None = None) -> UUID:
    document = request(payroll, week)
    payroll.push(LEAVE)
    return document


def reject(payroll: Payroll, document: UUID) -> None:
    payroll.edit("leave_request", document, status="Rejected")


def ask_again(payroll: Payroll, document: UUID) -> None:
    payroll.edit("leave_request", document, status="Requested")


def back_to_draft(payroll: Payroll, document: UUID) -> None:
    payroll.edit("leave_request", document, push_state="draft")


def delete(payroll: Payroll, document: UUID) -> None:
    payroll.world.query("DELETE FROM qicworks.leave_request WHERE id = %s", document)


def edited_and_rejected(payroll: Payroll, document: UUID) -> None:
    payroll.edit("leave_request", document, hours="3.8")
    reject(payroll, document)


WAYS: dict[str, Callable[[Payroll, UUID], None]] = {
    "rejected": reject,
    "requested": ask_again,
    "back to draft": back_to_draft,
    "deleted": delete,
    "edited and rejected": edited_and_rejected,
}


def statuses(payroll: Payroll) -> list[str]:
    return sorted(one["LeavePeriods"][0]["LeavePeriodStatus"] for one in payroll.applications())


@pytest.mark.parametrize("created_as", ["SCHEDULED", "REQUESTED"])
@pytest.mark.parametrize("way", WAYS)
def test_in_each_way(payroll: Payroll, way: str, created_as: str) -> None:
    payroll.world.sandbox.settings(leave_created_as=created_as)
    document, _ = pushed(payroll), pushed(payroll)
    payroll.writes()
    WAYS[way](payroll, document)
    assert payroll.left(LEAVE)
    [shown, *_] = payroll.preview(LEAVE)
    assert shown.path.endswith("/reject")
    assert payroll.writes() == []
    assert "1 cancelled in Xero" in payroll.push(LEAVE).message
    assert [call["path"].rpartition("/")[2] for call in payroll.writes()] == ["reject"]
    assert statuses(payroll) == ["REJECTED", "SCHEDULED"]
    assert [said for _, said in events(payroll.world, document) if said.startswith("rejected in Xero, because")]
    payroll.push(LEAVE)
    assert (payroll.writes(), payroll.left(LEAVE), differences(payroll.world)) == ([], 0, [])
    if way != "deleted":
        assert payroll.row("leave_request", document)["xero_status"] == "REJECTED"


@pytest.mark.parametrize("created_as", ["SCHEDULED", "REQUESTED"])
@pytest.mark.parametrize("way", WAYS)
def test_while_it_is_being_pushed(payroll: Payroll, way: str, created_as: str) -> None:
    """Or when its answer was lost: in the same run, or in the next."""
    payroll.world.sandbox.settings(leave_created_as=created_as)
    document = request(payroll)
    cancels = [partial(WAYS[way], payroll, document)]

    def call(sent: requests.PreparedRequest, forward: Forward) -> requests.Response:
        answer = forward()
        if cancels and is_write(sent):
            cancels.pop()()
        return answer

    with intercepted(call):
        payroll.push(LEAVE)
    assert (statuses(payroll), payroll.world.query("SELECT * FROM xero_sync.push_request WHERE closed_at IS NULL")) == (
        ["REJECTED"],
        [],
    )
    lost = request(payroll)
    payroll.world.fault(kind="lost_answer", method="POST", path="/LeaveApplications$", times=1)
    with pytest.raises(XeroError):
        payroll.push(LEAVE)
    WAYS[way](payroll, lost)
    payroll.push(LEAVE)
    payroll.drain(LEAVE)
    assert statuses(payroll) == ["REJECTED", "REJECTED"]
    assert differences(payroll.world) == []


def test_killed_at_any_moment(payroll: Payroll) -> None:
    world, pushing = payroll.world, partial(payroll.push, LEAVE)
    reject(payroll, pushed(payroll))
    passed = moments(world, pushing)
    assert len(of_writes(passed)) == 2
    chosen = sorted({*of_writes(passed), *spread(len(passed), 10)})
    for nth, moment in enumerate(chosen):
        (delete if nth % 2 else reject)(payroll, pushed(payroll))
        assert kill_at(world, moment, pushing), passed[moment - 1]
        left_open = running(world)
        payroll.push(LEAVE)
        assert payroll.left(LEAVE) == 0, f"killed at moment {moment}: {passed[moment - 1]}"
        assert_interrupted(world, left_open)
    assert statuses(payroll) == ["REJECTED"] * (1 + len(chosen))
    rows = world.query(
        "SELECT count(*) AS times FROM xero_sync.connection_event"
        " WHERE starts_with(message, 'rejected in Xero') GROUP BY document_id"
    )
    assert [row["times"] for row in rows] == [1] * (1 + len(chosen))
    assert differences(world) == []


@pytest.mark.parametrize(
    "kind", ["lost_answer", "truncate", "malformed", "cut", "500_saved", "503_saved", "500", "503"]
)
def test_what_goes_wrong_on_the_way(payroll: Payroll, kind: str) -> None:
    document = pushed(payroll)
    reject(payroll, document)
    payroll.world.fault(kind=kind, method="POST", path="/reject$", times=1)
    with suppress(XeroError):
        payroll.push(LEAVE)
    [fault] = payroll.world.sandbox.control("GET", "faults")
    assert fault["hits"] >= 1, "nothing went wrong"
    if payroll.world.query("SELECT * FROM xero_sync.push_request WHERE closed_at IS NULL"):
        with suppress(RetryLater):
            payroll.push(LEAVE, quiet=60.0)
    payroll.drain(LEAVE)
    assert statuses(payroll) == ["REJECTED"]
    said = [one for _, one in events(payroll.world, document) if one.startswith("rejected in Xero")]
    assert (len(said), differences(payroll.world)) == (1, [])


def test_taken_leave_is_an_open_difference(payroll: Payroll) -> None:
    """Until it is approved in QicWorks again: Xero rejects nothing that was paid."""
    [document] = [request(payroll, week=1)]
    payroll.push(LEAVE)
    payroll.pay_run("post")
    payroll.pay_run("draft")
    payroll.pay_run("post")
    assert statuses(payroll) == ["PROCESSED"]
    payroll.writes()
    reject(payroll, document)
    payroll.push(LEAVE)
    assert payroll.writes() == []
    [difference] = differences(payroll.world)
    assert (difference["ours"], difference["theirs"]) == ({"status": "rejected"}, {"status": "PROCESSED"})
    [event] = payroll.world.query("SELECT * FROM xero_sync.connection_event WHERE document_id = %s", document)
    assert "next pay run" in event["correction"]
    assert payroll.left(LEAVE) == 0
    payroll.edit("leave_request", document, status="Approved")
    payroll.push(LEAVE)
    assert (differences(payroll.world), settled(payroll.world)) == ([], ["agrees"])


def test_rejected_in_xero_by_hand_settles_its_difference(payroll: Payroll) -> None:
    document = pushed(payroll)
    reject(payroll, document)
    payroll.world.query("UPDATE xero_sync.cancellation SET how = 'before'")
    payroll.push(LEAVE)
    assert (statuses(payroll), len(differences(payroll.world))) == (["SCHEDULED"], 1)
    [found] = payroll.applications()
    path = f"organisations/{payroll.world.sandbox.tenant()}/LeaveApplications/{found['LeaveApplicationID']}"
    periods = [{**one, "LeavePeriodStatus": "REJECTED"} for one in found["LeavePeriods"]]
    payroll.world.sandbox.control("PATCH", path, {"LeavePeriods": periods})
    seen_long_ago(payroll.world)
    payroll.push(LEAVE)
    assert (differences(payroll.world), settled(payroll.world)) == ([], ["cancelled"])


def gone(payroll: Payroll) -> dict[str, Any]:
    """Xero no longer has its only leave under the id that it had. What it was."""
    [found] = payroll.applications()
    path = f"organisations/{payroll.world.sandbox.tenant()}/LeaveApplications"
    payroll.world.sandbox.control("DELETE", f"{path}/{found.pop('LeaveApplicationID')}")
    return found


def approved(payroll: Payroll, leave: dict[str, Any]) -> None:
    """It has another id from then on."""
    payroll.world.sandbox.control("POST", f"organisations/{payroll.world.sandbox.tenant()}/LeaveApplications", leave)


@pytest.mark.parametrize("only_approved_is_listed", [False, True])
@pytest.mark.parametrize("way", ["rejected", "deleted"])
def test_approved_leave_that_has_another_id(payroll: Payroll, way: str, only_approved_is_listed: bool) -> None:
    document = pushed(payroll)
    approved(payroll, gone(payroll))
    WAYS[way](payroll, document)
    if only_approved_is_listed:
        payroll.world.fault(kind="500", method="GET", path="/LeaveApplications/v2", times=None)
    payroll.writes()
    [shown] = payroll.preview(LEAVE)
    [found] = payroll.applications()
    assert shown.path.endswith(f"{found['LeaveApplicationID']}/reject")
    assert "1 cancelled in Xero" in payroll.push(LEAVE).message
    assert (statuses(payroll), len(payroll.writes()), differences(payroll.world)) == (["REJECTED"], 1, [])
    assert payroll.left(LEAVE) == 0


def test_that_gets_another_id_while_its_answer_is_lost(payroll: Payroll) -> None:
    """Rejected, and approved again in Xero before the next run: that rejects it again."""
    document = pushed(payroll)
    reject(payroll, document)
    payroll.world.fault(kind="lost_answer", method="POST", path="/reject$", times=1)
    with suppress(XeroError):
        payroll.push(LEAVE)
    leave = gone(payroll)
    approved(payroll, {**leave, "LeavePeriods": [{**leave["LeavePeriods"][0], "LeavePeriodStatus": "SCHEDULED"}]})
    payroll.drain(LEAVE)
    assert (statuses(payroll), differences(payroll.world)) == (["REJECTED"], [])


def test_leave_that_is_gone_is_over_only_if_all_leave_is_listed(payroll: Payroll) -> None:
    document = pushed(payroll)
    gone(payroll)
    reject(payroll, document)
    payroll.world.fault(kind="500", method="GET", path="/LeaveApplications/v2", times=None)
    payroll.push(LEAVE)
    [difference] = differences(payroll.world)
    assert (difference["document_id"], difference["theirs"]) == (document, {"status": "not known"})
    assert "but may still be in Xero" in events(payroll.world, document)[-1][1]
    payroll.world.sandbox.control("DELETE", "faults")
    seen_long_ago(payroll.world)
    payroll.push(LEAVE)
    assert (differences(payroll.world), settled(payroll.world)) == ([], ["cancelled"])


def test_leave_that_xero_has_twice_is_a_person_s(payroll: Payroll) -> None:
    document = pushed(payroll)
    leave = gone(payroll)
    for _ in range(2):
        approved(payroll, leave)
    reject(payroll, document)
    payroll.push(LEAVE)
    assert (statuses(payroll), len(differences(payroll.world))) == (["SCHEDULED", "SCHEDULED"], 1)


def test_what_gets_another_id_after_it_was_listed(payroll: Payroll) -> None:
    """The list of the same run is read again."""
    one, two = pushed(payroll), pushed(payroll)
    path = f"organisations/{payroll.world.sandbox.tenant()}/LeaveApplications"
    first, second = sorted(payroll.applications(), key=lambda leave: str(one) not in leave["Description"])
    payroll.world.sandbox.control("DELETE", f"{path}/{first['LeaveApplicationID']}")
    for document in (one, two):
        reject(payroll, document)
    lists: list[str] = []

    def call(sent: requests.PreparedRequest, forward: Forward) -> requests.Response:
        answer = forward()
        if "/LeaveApplications/v2" in str(sent.url):
            lists.append(str(sent.url))
            if len(lists) == 1:
                payroll.world.sandbox.control("DELETE", f"{path}/{second.pop('LeaveApplicationID')}")
                approved(payroll, second)
        return answer

    with intercepted(call):
        payroll.push(LEAVE)
    assert len(lists) > 1
    assert (statuses(payroll), differences(payroll.world)) == (["REJECTED"], [])


def test_approved_again_before_the_run(payroll: Payroll) -> None:
    document = pushed(payroll)
    reject(payroll, document)
    payroll.edit("leave_request", document, status="Approved")
    assert payroll.left(LEAVE) == 0
    payroll.push(LEAVE)
    assert statuses(payroll) == ["SCHEDULED"]


def test_where_xero_refuses_it_no_word_of_xeros_is_repeated(payroll: Payroll) -> None:
    """It may name the employee; every viewer reads events."""
    document = pushed(payroll)
    reject(payroll, document)

    def call(sent: requests.PreparedRequest, forward: Forward) -> requests.Response:
        words = '{"Message": "Leave of Robin cannot be rejected", "Type": "ValidationException"}'
        return response(400, "application/json", words) if is_write(sent) else forward()

    with intercepted(call):
        payroll.push(LEAVE)
    assert (len(differences(payroll.world)), statuses(payroll)) == (1, ["SCHEDULED"])
    [(_, said)] = events(payroll.world, document)
    assert "Xero refused it" in said
    assert "Robin" not in str(payroll.world.query("SELECT message, correction FROM xero_sync.connection_event"))
    seen_long_ago(payroll.world)
    payroll.push(LEAVE)
    assert (differences(payroll.world), statuses(payroll)) == ([], ["REJECTED"])


def test_under_the_role_of_pull_and_push(payroll: Payroll) -> None:
    document = pushed(payroll)
    delete(payroll, document)
    with under_role(payroll.world) as sync:
        owner, payroll.world = payroll.world, sync
        payroll.push(LEAVE)
        payroll.world = owner
    assert statuses(payroll) == ["REJECTED"]


def test_asked_for_by_its_id(payroll: Payroll) -> None:
    one, two = pushed(payroll), pushed(payroll)
    delete(payroll, one)
    reject(payroll, two)
    engine, app = payroll.world.engine, payroll.world.app
    asked = {"engine": engine, "open_client": opener(engine, app), "documents": [str(one)]}
    assert len(list(preview(KINDS[LEAVE], payroll.connection_id, **asked))) == 1  # type: ignore[arg-type]
    payroll.push(LEAVE, documents=[str(one)])
    assert statuses(payroll) == ["REJECTED", "SCHEDULED"]
