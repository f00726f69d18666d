"""Whether every interaction with Xero has its connection event, and the events are whole."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.faults.proof.facts import SLACK, Call, Facts, Result, Row

#: Calls that belong to no pull or push: tokens, what an authorisation opens, and an organisation's own settings, which
#: are read when it is matched.
APART = ("/connect/token", "/connect/revocation", "/connections", "/api.xro/2.0/organisation")
PAGE = "/identity/"  # a user's browser, not ours
INTERRUPTED = "interrupted: the process that ran it is gone"
FLOWS = ("pull", "push")


def check(facts: Facts) -> Result:
    wrong = list(unfinished(facts.events))
    by_tenant = {str(side.connection["id"]): side.tenant for side in facts.sides}
    spans = defaultdict(list)
    for event in facts.events:
        if event["direction"] in FLOWS and event["document"] is None and event["ended_at"]:
            spans[by_tenant.get(str(event["connection_id"]))].append(event)
    apart: Counter[str] = Counter()
    calls = defaultdict(list)
    for call in facts.calls:
        if call.path.startswith(PAGE):
            continue
        if call.path.lower().startswith(APART) or call.tenant is None:
            apart[call.path] += 1
        if call.tenant is not None:
            calls[call.tenant].append(call)
    inside = compared = 0
    for tenant, made in calls.items():
        found, outside = placed(made, spans[tenant])
        inside += found
        wrong += [f"{call.method} {call.path} at {call.at:%H:%M:%S.%f} is in no event of {tenant}" for call in outside]
        for group in together(spans[tenant]):
            counted, says = agree(group, made)
            compared += counted
            wrong += says
    statuses = Counter(f"{event['direction']} {event['status']}" for event in facts.events)
    if not inside or not compared:
        wrong.append("no call was compared with an event: this proves nothing")
    return Result(
        "every interaction has its event",
        f"{inside} calls inside events, apart from them {dict(apart)}; calls of {compared} events counted again; "
        f"events: {dict(statuses)}",
        wrong,
    )


def unfinished(events: list[Row]) -> Iterator[str]:
    for event in events:
        name = f"event {event['id']} ({event['direction']} {event['data_set']})"
        if event["status"] == "running" or event["ended_at"] is None:
            yield f"{name} is left open since {event['started_at']}"
        if event["connection_id"] is None and event["direction"] in FLOWS:
            yield f"{name} has no connection"
        if not event["message"] and event["status"] != "running":
            yield f"{name} says nothing"
        if event["status"] == "error" and not event["correction"]:
            yield f"{name} is an error without a correction: {event['message']}"


def placed(calls: list[Call], events: list[Row]) -> tuple[int, list[Call]]:
    """How many calls lie inside an event, and those that do not and ought to."""
    outside = []
    for call in calls:
        if not any(event["started_at"] - SLACK <= call.at <= event["ended_at"] + SLACK for event in events):
            outside.append(call)
    ought = [call for call in outside if not call.path.lower().startswith(APART)]
    return len(calls) - len(outside), ought


def together(events: list[Row]) -> Iterator[list[Row]]:
    """Events of one organisation in groups: those that overlap in time cannot be told apart by the journal."""
    group: list[Row] = []
    end = datetime.min.replace(tzinfo=UTC)
    for event in sorted(events, key=lambda event: event["started_at"]):
        if group and event["started_at"] > end + 2 * SLACK:
            yield group
            group = []
        group.append(event)
        end = max(end, event["ended_at"]) if len(group) > 1 else event["ended_at"]
    if group:
        yield group


def agree(group: list[Row], calls: list[Call]) -> tuple[int, list[str]]:
    """How many events were compared (all of the group, or none), and what is wrong. The settings of an organisation
    may have been read by somebody who matched it meanwhile."""
    start, end = group[0]["started_at"] - SLACK, max(event["ended_at"] for event in group) + SLACK
    made = [call for call in calls if start <= call.at <= end]
    settings = sum(call.path.lower().startswith(APART) for call in made)
    said = sum(event["calls"] for event in group)
    name = f"{len(group)} events from {group[0]['id']} on, at {group[0]['started_at']:%H:%M:%S}"
    if any((event["message"] or "").startswith(INTERRUPTED) for event in group):
        wrong = [f"{name} say {said} calls, and only {len(made)} were made"] if said > len(made) else []
        return 0, wrong
    if not len(made) - settings <= said <= len(made):
        return len(group), [f"{name} say {said} calls, {len(made)} were made ({settings} of them for settings)"]
    return len(group), []
