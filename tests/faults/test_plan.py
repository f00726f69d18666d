"""The same seed is the same plan, and every trouble and act that a plan names is there."""

import inspect

import pytest

from tests.faults import plan, troubles, workload
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
