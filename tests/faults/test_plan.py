"""The same seed is the same plan, and every trouble and act that a plan names is there."""

import inspect

import pytest

from tests.faults import plan, troubles, workload
from tests.faults.sides import Live
from tests.faults.tally import NotNow, Tally
from tests.support.world import World
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS

TROUBLES = troubles.Troubles(None, None, None, "", "")  # type: ignore[arg-type]


def made(seed: int, minutes: float = 15) -> plan.Plan:
    return plan.made(seed, minutes, 5, list(DATASETS), list(KINDS))


def test_a_seed_is_a_plan() -> None:
    assert str(made(1)) == str(made(1))
    assert str(made(1)) != str(made(2))


@pytest.mark.parametrize("seed", range(20))
def test_a_quarter_of_an_hour_has_every_trouble_and_nothing_unknown(seed: int) -> None:
    steps = made(seed).steps
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    bad = [step for step in steps if step.act == "trouble"]
    assert {step.how["name"] for step in bad} == set(plan.TROUBLES) == set(TROUBLES.acts)
    ends = [(step.at, step.at + step.how["lasts"]) for step in bad]
    assert max(sum(start < moment <= end for start, end in ends) for _, moment in ends) <= plan.AT_ONCE
    assert max(end for _, end in ends) <= 15 * 60 + 0.1
    assert {step.how["data_set"] for step in steps if step.act == "pull"} == set(DATASETS)
    assert {step.how["kind"] for step in steps if step.act == "push"} == set(KINDS)
    done = {(step.how["collection"], step.how["what"]) for step in steps if step.act == "change"}
    assert done == {(collection, what) for collection, acts in plan.CHANGES.items() for what in acts}
    assert {step.how["do"] for step in steps if step.act == "keep_books"} == set(plan.BOOKS)
    for step in steps:
        if step.act != "trouble":
            act = getattr(workload.Workload, step.act)
            inspect.signature(act).bind(None, **step.how)
        assert step.how.get("organisation") in (None, *range(5))
    assert set(workload.KEYS) == set(plan.CHANGES) >= set(plan.PAGED)


def nothing_there(how: plan.How) -> str:
    return str(workload.chosen([], how["pick"]))


def test_a_run_in_which_too_many_steps_met_nothing_fails() -> None:
    tally = Tally()
    killed = plan.Step(2.0, "trouble", {"name": "a push is killed", "lasts": 0, "pick": 0.5})
    edit = plan.Step(1.0, "edit", {"kind": "bills", "pick": 0.5})
    for _ in range(8):
        assert tally.carry_out(edit, lambda how: f"price of {how['kind']}").endswith(": price of bills")
    assert tally.carry_out(edit, nothing_there).endswith("not now: there is none")
    assert tally.carry_out(killed, nothing_there) == "-- a push is killed: not now: there is none"
    assert tally.result().wrong == []
    assert tally.result().compared == "8 of 10; not: a push is killed 1, edit 1"
    tally.carry_out(killed, nothing_there)
    [complaint] = tally.result().wrong
    assert "3 of 11 steps met nothing" in complaint
    assert tally.broken == []
    assert "ZeroDivisionError" in tally.carry_out(edit, lambda how: 1 / 0)
    assert (len(tally.broken), len(tally.met), len(tally.missed)) == (1, 8, 3)


def test_a_trouble_that_met_nobody_says_so(world: World) -> None:
    """An order of which no call came to know, and a kill of a task that does not run."""
    live = Live(world.sandbox, world.engine, world.database_url)
    nowhere = "host=127.0.0.1 port=1"
    bad = troubles.Troubles(live, None, None, nowhere, "")  # type: ignore[arg-type]
    bad.wait = lambda seconds: None
    for trouble in ("Xero says 503", "a push is killed"):
        with pytest.raises(NotNow, match=r"no call in 3 s|no push was at work"):
            bad(trouble, lasts=3, pick=0.5)
    bad.wait = lambda seconds: [world.sandbox.get("Accounts") for _ in range(4)]
    assert bad("Xero says 503", lasts=3, pick=0.5) == "2 calls in 3 s"
