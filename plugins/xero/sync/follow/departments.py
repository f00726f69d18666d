"""Creates the tracking option of a department in Xero, once, when a user asks for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import Engine

from xero.api import wire
from xero.api.errors import Refused, XeroError
from xero.datasets.tracking_categories import TRACKING_CATEGORIES
from xero.documents.checking.departments import key
from xero.documents.declaration import Record
from xero.qicworks.connect import departments
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.qicworks.texts import on_a_line
from xero.sync.connect.clients import OpenClient
from xero.sync.pull.flow import pull
from xero.sync.push.deadlines import REPLAY_WINDOW_SECONDS
from xero.sync.runs.outcome import Outcome, PullFailed, Skip
from xero.sync.runs.run import Run, run

PATH = "/api.xro/2.0/TrackingCategories"
MAX_OPTIONS = 100  # of a tracking category
MAX_NAME_CHARACTERS = 100
AGAIN = "Choose Create in Xero again: it is looked for first, so there is never a second one."
LATER = "Tracking categories could not be pulled now: documents are sent after the next pull of them."


def create_option(
    name: str, connection_id: UUID, *, engine: Engine, open_client: OpenClient, user: str
) -> tuple[bool, list[str]]:
    """Creates the option unless Xero has it, and pulls tracking categories. Returns whether it is there, and what was
    done, in words.

    Raises:
        Skip: Another user is creating one.
        XeroError: It is not known to be there. Safe to call again.
    """
    about = Direction.CONNECT, "departments", Origin(), open_client
    done = run(engine, connection_id, *about, lambda it: _work(it, name, user), again=AGAIN)
    said = [done.message]
    try:
        pull(TRACKING_CATEGORIES, connection_id, engine=engine, open_client=open_client, origin=Origin())
    except (Skip, XeroError, PullFailed):
        said.append(LATER)
    return done.status is Status.SUCCESS, said


def _work(it: Run, name: str, user: str) -> Outcome:
    chosen = departments.category(it.session, it.connection.id)
    if chosen is None:
        return _refuse(it, name, "no tracking category is chosen for departments", "Choose one under Settings.")
    category = _category(it, chosen.value)
    if why := _hindrance(category, name):
        return _refuse(it, name, *why)
    if _named(category, name):
        message = f"'{on_a_line(name)}' is already in {chosen.shown} in Xero"
        return it.close(Status.SUCCESS, EventOutcome.DONE, message)
    body = json.dumps({"Name": name}).encode()
    path, window = f"{PATH}/{chosen.value}/Options", REPLAY_WINDOW_SECONDS
    try:
        it.client.write("PUT", path, body, key=str(uuid4()), replay_window=window)
    except Refused:
        if not _named(_category(it, chosen.value), name):  # else another user has created it in Xero
            raise
    except XeroError as error:
        if error.outcome_unknown:
            error.correction = f"It is not known whether the option was created. {AGAIN}"
        raise
    message = f"'{on_a_line(name)}' was created in {chosen.shown} in Xero by {on_a_line(user)}"
    return it.close(Status.SUCCESS, EventOutcome.DONE, message)


def _category(it: Run, xero_id: str) -> Record:
    """As Xero has it now, with what is archived. Empty: it is no longer there."""
    found = wire.objects(it.client.get(PATH, params={"includeArchived": True}).data.get("TrackingCategories"))
    return next((one for one in found if str(one.get("TrackingCategoryID")).lower() == xero_id.lower()), {})


def _options(category: Record) -> Sequence[Record]:
    return wire.objects(category.get("Options"))


def _named(category: Record, name: str) -> bool:
    """Whether it has an active option of that name."""
    return any(key(str(one.get("Name"))) == key(name) and one.get("Status") == "ACTIVE" for one in _options(category))


def _hindrance(category: Record, name: str) -> tuple[str, str] | None:
    """Why it cannot be created, and what to do."""
    options = _options(category)
    if category.get("Status") != "ACTIVE":
        return "its tracking category is archived or deleted in Xero", "Restore it there, or choose another one."
    if _named(category, name):
        return None
    if any(key(str(one.get("Name"))) == key(name) for one in options):
        return "an archived option has this name there", "Restore it in Xero, then pull tracking categories."
    if len(options) >= MAX_OPTIONS:
        why = f"its tracking category has {len(options)} options there, and {MAX_OPTIONS} is the maximum"
        return why, "Delete one in Xero that is not in use. Or change the department in QicWorks."
    if len(name) > MAX_NAME_CHARACTERS:
        return f"it is longer than {MAX_NAME_CHARACTERS} characters", "Shorten the department in QicWorks."
    return None


def _refuse(it: Run, name: str, why: str, correction: str) -> Outcome:
    message = f"'{on_a_line(name)}' was not created in Xero: {why}. {correction}"
    return it.close(Status.WARNING, EventOutcome.DONE_WITH_REMARKS, message, correction)
