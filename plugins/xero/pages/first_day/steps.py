"""The steps of the first day, and what is left of each. Nothing here asks Xero."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from xero.dag_ids import pull_dag_of, push_dag_of
from xero.datasets.registry import DATASETS
from xero.documents.declaration import Kind
from xero.documents.registry import KINDS
from xero.pages.access import Viewer
from xero.pages.airflow_api import AirflowApi
from xero.pages.first_day.shown import Checklist, DryRun, People, Pulled, Pushes, Ready, Settings, SetUp, State
from xero.pages.links.shown import visible
from xero.pages.synchronise import is_set_up
from xero.qicworks.connect import connections, settings
from xero.qicworks.connect.connections import Connection
from xero.qicworks.connect.declared_settings import SETTINGS
from xero.qicworks.connect.offers import Offers, Thing
from xero.qicworks.database import Session
from xero.qicworks.runs.outcome import Direction, EventOutcome
from xero.qicworks.views import document_list, first_day, status
from xero.qicworks.views.status import DataSet

SET_UP = tuple(name for name, one in DATASETS.items() if is_set_up(one))


def dry_run_of(kind: Kind) -> tuple[Direction, str]:
    """The direction and data set of its events."""
    return Direction.MAINTENANCE, f"dry_run_{kind.name}"


def checklist(session: Session, who: Viewer, api: AirflowApi, connection: Connection) -> Checklist:
    """What is left of each step, of what this user may see."""
    found = status.get_status(session, connection.id).data_sets
    last = {(one.direction, one.data_set): one for one in found}
    pulls = {name: one for name in DATASETS if (one := last.get((Direction.PULL, name)))}
    not_offered = {name for name, one in pulls.items() if one.last_outcome == EventOutcome.NOT_AVAILABLE}
    loaded = first_day.loaded(session, connection.id)
    paused = api.dags()
    set_up = _set_up(who, connection, pulls, loaded, paused)
    chosen = _settings(session, connection, loaded)
    people = _people(session, who, connection, loaded, not_offered)
    parts = _ready(session, who, connection, paused, not_offered)
    never = set(SET_UP) - loaded - not_offered
    checks = {one.kind.name: check for one in parts if (check := last.get(dry_run_of(one.kind)))}
    dry_run = _dry_run(session, connection, parts, checks, blocked=bool(never))
    pushes = _pushes(session, connection, parts, dry_run)
    is_partial = not who.readable >= {*map(pull_dag_of, DATASETS), *map(push_dag_of, KINDS)}
    return Checklist(connection, set_up, chosen, people, dry_run, pushes, is_partial)


def _set_up(
    who: Viewer,
    connection: Connection,
    pulls: Mapping[str, DataSet],
    loaded: Collection[str],
    paused: Mapping[str, bool],
) -> SetUp:
    parts = []
    for name in who.data_sets:
        if is_set_up(DATASETS[name]):
            state, why = _pulled(pulls.get(name), name in loaded)
            running = name in pulls and pulls[name].running_event_id is not None
            if running and state is State.LEFT:
                why = "running"
            is_paused = state is State.LEFT and paused.get(pull_dag_of(name)) is not False
            parts.append(Pulled(DATASETS[name], state, why, running and state is State.LEFT, is_paused))
    if not parts or all(one.state is not State.LEFT for one in parts):
        return SetUp(State.DONE if parts else State.NOT_YET, parts)
    return SetUp(State.NOT_YET if connection.not_taking_part else State.LEFT, parts)


def _pulled(last: DataSet | None, is_loaded: bool) -> tuple[State, str]:
    if last and last.last_outcome == EventOutcome.NOT_AVAILABLE:
        return State.OPTIONAL, "not offered by Xero"
    if last and last.last_status == "error":
        return State.LEFT, "failed"
    return (State.DONE, "pulled") if is_loaded else (State.LEFT, "never pulled")


def _settings(session: Session, connection: Connection, loaded: Collection[str]) -> Settings:
    if not {thing.data_set for thing in Thing} & set(loaded):
        return Settings(State.NOT_YET)
    current = settings.read(session, connection.id)
    problems = settings.misfits(current, Offers(session, connection.id))
    unset = [one for one in SETTINGS.values() if one.kind and one.thing and not current[one.name]]
    return Settings(State.LEFT if problems else State.OPTIONAL if unset else State.DONE, problems, unset)


def _people(
    session: Session, who: Viewer, connection: Connection, loaded: Collection[str], not_offered: Collection[str]
) -> People:
    tables = {kind.table for kind in KINDS.values()}
    needed = {name for name, one in DATASETS.items() if tables & {table.name for table in one.tables}}
    has_people = not set(first_day.LINKING) <= set(not_offered)
    needed |= set(first_day.LINKING) if has_people else set()
    if not needed <= set(loaded):
        return People(State.NOT_YET)
    counts = first_day.unlinked(session, connection, visible(who), who.kinds)
    chosen = settings.read(session, connection.id).new_contacts
    state = State.DONE
    if counts.waiting or counts.differences:
        state = State.LEFT
    elif counts.contacts or (counts.people and has_people):
        state = State.OPTIONAL
    return People(state, counts, chosen, has_people)


def _ready(
    session: Session, who: Viewer, connection: Connection, paused: Mapping[str, bool], not_offered: Collection[str]
) -> list[Ready]:
    kinds = [KINDS[name] for name in who.kinds]
    counts = document_list.counts(session, kinds, connection.organisation_id, ("ready", "failed", "pushed"))
    has_payroll = not {name for name, one in DATASETS.items() if one.payroll and is_set_up(one)} <= set(not_offered)
    return [
        Ready(
            kind,
            **counts[kind.name],
            paused=paused.get(push_dag_of(kind.name)),
            needed=has_payroll or not kind.payroll,
        )
        for kind in kinds
    ]


def _dry_run(
    session: Session, connection: Connection, parts: Sequence[Ready], last: Mapping[str, DataSet], *, blocked: bool
) -> DryRun:
    """Done: all that is ready was checked, was fine, and nothing that it is made of has changed since."""
    ready = [one for one in parts if one.ready]
    changed, overtaken = 0, False
    for one in ready:
        if (check := last.get(one.kind.name)) and check.last_started_at:
            since, most = check.last_started_at, document_list.CAP + 1
            changed += first_day.ready_since(session, one.kind, connection.organisation_id, since, most)
            overtaken = overtaken or first_day.changed_since(session, connection, since, SET_UP)
    if any(one.failed for one in parts):
        state = State.LEFT
    elif not ready:
        state = State.DONE if any(one.pushed for one in parts) else State.NOT_YET
    elif blocked or connection.not_taking_part:
        state = State.NOT_YET
    else:
        checks = [last.get(one.kind.name) for one in ready]
        was_fine = all(check is not None and check.last_outcome == EventOutcome.DONE for check in checks)
        state = State.DONE if was_fine and not changed and not overtaken else State.LEFT
    return DryRun(state, parts, last, changed, overtaken, blocked)


def _pushes(session: Session, connection: Connection, parts: Sequence[Ready], dry_run: DryRun) -> Pushes:
    needed = [one for one in parts if one.needed]
    off = [one for one in needed if one.paused is not False]
    if not connection.enabled or any(one.ready or one.failed for one in off) or len(off) == len(needed):
        state = State.LEFT if dry_run.last or dry_run.pushed else State.NOT_YET
    else:
        state = State.OPTIONAL if off else State.DONE
    others = sum(one.enabled for one in connections.every(session)) - connection.enabled
    return Pushes(state, connection.enabled, parts, others)
