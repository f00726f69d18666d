"""A difference is one open row per thing and reason, until whoever found it finds that both sides agree."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.granted import granted
from tests.support.world import World
from xero.qicworks.database import session
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import About, Found, Reason, Settled

ALL = tuple(Reason)
LATER = datetime.now(UTC) + timedelta(days=30)
EDITED = Found(Reason.EDITED_IN_XERO, {"Date": "2026-10-05"}, {"Date": "2026-10-06"})
VOIDED = Found(Reason.VOIDED_IN_XERO, {"status": "Un-paid"}, {"status": "VOIDED"})


def about(world: World, id: UUID | None = None) -> About:
    return About(UUID(world.connection_id(0)), "invoices", id or uuid4(), "invoice INV-1")


def test_a_difference_is_seen_again_and_settled_by_its_finder_alone(fresh: World) -> None:
    with session(fresh.engine) as db:
        it = about(fresh)
        assert differences.compare(db, it, [EDITED], ALL).new == (EDITED,)
        [first] = differences.listed(db, it.connection_id)
        assert differences.compare(db, it, [EDITED], ALL) == differences.Changes()
        [again] = differences.listed(db)
        assert (again.id, again.since) == (first.id, first.since)
        assert again.last_seen_at > first.last_seen_at

        assert differences.compare(db, it, [], [Reason.VOIDED_IN_XERO]) == differences.Changes()  # not its finder
        assert differences.compare(db, about(fresh), [], ALL) == differences.Changes()  # another document
        assert len(differences.listed(db)) == 1
        assert differences.compare(db, it, [], ALL, Settled.SKIPPED).settled == (Reason.EDITED_IN_XERO,)
        assert differences.listed(db) == []
        [settled] = differences.listed(db, only_open=False)
        assert (settled.id, settled.settled_how) == (first.id, Settled.SKIPPED)

        assert differences.compare(db, it, [EDITED], ALL).new == (EDITED,)  # a new one, with its own time
        assert [one.id for one in differences.listed(db)] != [first.id]


def test_what_a_person_decided_is_about_these_values(fresh: World) -> None:
    with session(fresh.engine) as db:
        it = about(fresh)
        differences.compare(db, it, [EDITED, VOIDED], ALL)
        before = {one.reason: one for one in differences.listed(db)}
        voided, edited = before[Reason.VOIDED_IN_XERO], before[Reason.EDITED_IN_XERO]
        assert voided.seen != edited.seen
        assert not differences.acknowledge(db, voided.id, "office", LATER, seen=edited.seen)
        assert not differences.choose(db, edited.id, "office", "qicworks", seen="")
        assert differences.acknowledge(db, voided.id, "office", LATER, seen=voided.seen)
        assert differences.choose(db, edited.id, "office", "qicworks", seen=edited.seen)
        differences.compare(db, it, [EDITED, VOIDED], ALL)
        found = {one.reason: one for one in differences.listed(db)}
        assert found[Reason.VOIDED_IN_XERO].is_acknowledged(datetime.now(UTC))
        assert found[Reason.EDITED_IN_XERO].chosen == "qicworks"
        other = Found(Reason.EDITED_IN_XERO, {"Date": "2026-10-05"}, {"Date": "2026-10-07"})
        differences.compare(db, it, [other, VOIDED], ALL)
        found = {one.reason: one for one in differences.listed(db)}
        assert found[Reason.EDITED_IN_XERO].chosen is None
        assert not differences.choose(db, edited.id, "office", "qicworks", seen=edited.seen), "of other values"
        assert found[Reason.VOIDED_IN_XERO].is_acknowledged(datetime.now(UTC))
        differences.compare(db, it, [], ALL)
        assert not differences.acknowledge(db, voided.id, "office", LATER, seen=voided.seen)
        assert not differences.choose(db, edited.id, "office", "xero", seen=found[Reason.EDITED_IN_XERO].seen)


def test_what_is_settled_stays_as_it_was_also_for_the_role_that_pulls(fresh: World) -> None:
    with session(fresh.engine) as db:
        it = about(fresh)
        differences.compare(db, it, [EDITED], ALL)
    with granted(fresh) as role:
        for wrong in ("SET reason = 'voided_in_xero'", "SET since = now()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                role.sql(f"UPDATE xero_sync.difference {wrong}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            role.sql("DELETE FROM xero_sync.difference")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sets(st.sampled_from([(reason, subject) for reason in ALL for subject in ("", "a", "b")]))))
def test_open_are_exactly_those_that_were_found_last(fresh: World, sightings: list[set[tuple[Reason, str]]]) -> None:
    with session(fresh.engine) as db:
        it = about(fresh)
        for sighting in sightings:
            differences.compare(db, it, [Found(reason, subject=subject) for reason, subject in sighting], ALL)
            still = differences.listed(db, it.connection_id, documents=[it.document_id or uuid4()])
            assert {(one.reason, one.subject) for one in still} == sighting


def test_values_of_any_text_can_be_kept(fresh: World) -> None:
    with session(fresh.engine) as db:
        odd = Found(Reason.EDITED_IN_XERO, {"Reference": "a\x00b\ud800"}, {"Reference": "x" * 9000})
        differences.compare(db, about(fresh), [odd], ALL)
        [kept] = differences.listed(db)
        assert kept.ours == {"Reference": "a b "}
        assert len(kept.theirs["Reference"]) == differences.LONGEST_VALUE


def test_long_values_that_begin_alike_are_not_the_same(fresh: World) -> None:
    with session(fresh.engine) as db:
        it, long = about(fresh), "x" * 9000
        for ours, theirs in ((long, "a"), (long + "y", "a"), ("a", long), ("a", long + "y")):
            differences.compare(db, it, [Found(Reason.EDITED_IN_XERO, {"Reference": ours}, {"Reference": theirs})], ALL)
            [one] = differences.listed(db)
            assert (one.chosen, one.acknowledged_until) == (None, None)
            assert differences.choose(db, one.id, "office", "xero", seen=one.seen)
            assert differences.acknowledge(db, one.id, "office", LATER, seen=one.seen)
            differences.compare(db, it, [Found(Reason.EDITED_IN_XERO, {"Reference": ours}, {"Reference": theirs})], ALL)
            assert differences.listed(db)[0].chosen == "xero"
