"""How an organisation works: its settings, read and changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from xero.datasets.declaration import Dataset
from xero.documents.declaration import PricedKind
from xero.documents.parts.arriving import Arrival
from xero.qicworks import sql
from xero.qicworks.connect import connections
from xero.qicworks.connect.declared_settings import SETTINGS, Conflicts, NewContacts, Setting
from xero.qicworks.connect.offers import SAYS, Misfit, Offers, Thing
from xero.qicworks.database import Session
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.qicworks.texts import fit, on_a_line

__all__ = ["SETTINGS", "Conflicts", "ConnectionSettings", "NewContacts", "change", "read"]

QUERIES = sql.Statements("settings")
CONNECTIONS = sql.Statements("connections")
LONGEST_NAME = 200  # characters of who changed it
LONGEST_VALUE = 2000  # characters


@dataclass(frozen=True)
class ConnectionSettings:
    """The settings of an organisation: name → value of those that were ever changed; others have their defaults."""

    values: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, SETTINGS[name].default)

    @property
    def conflicts(self) -> Conflicts:
        return Conflicts(self["conflicts"])

    @property
    def new_contacts(self) -> NewContacts:
        return NewContacts(self["new_contacts"])

    @property
    def departments(self) -> str | None:
        """Xero's id of the tracking category."""
        return self["departments"] or None

    @property
    def alerts(self) -> list[str]:
        """Email addresses."""
        return [one for one in self["alerts"].split(", ") if one]

    @property
    def night_hour(self) -> int:
        return int(self["night_hour"])

    def pulls(self, dataset: Dataset) -> bool:
        return not dataset.optional or self[dataset.name] == "on"

    def defaults(self, kind: PricedKind) -> dict[str, dict[str, str]]:
        """Side (empty: a kind without sides) → account and tax_code, as far as they are set."""
        named = {
            of.side or "": {field: self[f"{kind.name}.{of.prefix}{field}"] for field in ("account", "tax_code")}
            for of in kind.defaults
        }
        return {side: {field: value for field, value in some.items() if value} for side, some in named.items()}

    def arrival(self, kind: PricedKind) -> Arrival:
        return Arrival(self[f"{kind.name}.status"])


class Problem(NamedTuple):
    """A setting that does not fit what was pulled."""

    setting: Setting
    misfit: Misfit
    says: str
    shown: str  # its value


@dataclass(frozen=True)
class Kept:
    """A setting as a person changed it last."""

    value: str
    changed_by: str | None
    changed_at: datetime


def parse(given: Mapping[str, str]) -> dict[str, str]:
    """Checks names and values, as far as they do not depend on what was pulled. Empty: the default.

    Raises ValueError, which lists what there is.
    """
    parsed = {}
    for name, value in given.items():
        setting = SETTINGS.get(name)
        if setting is None:
            raise ValueError(f"there is no setting '{on_a_line(name)}'; there is {', '.join(SETTINGS)}")
        parsed[name] = _parsed(setting, value.strip()) if value.strip() else setting.default
    return parsed


def _parsed(setting: Setting, value: str) -> str:
    if len(value) > LONGEST_VALUE:
        raise ValueError(f"{setting.name} is longer than {LONGEST_VALUE} characters")
    if setting.choices:
        for choice in setting.choices:
            if choice.casefold() == value.casefold():
                return choice
        raise ValueError(f"{setting.name} cannot be '{on_a_line(value)}'; it is one of {', '.join(setting.choices)}")
    if setting.tidy:
        try:
            return setting.tidy(value)
        except ValueError as error:
            raise ValueError(f"{setting.name}: {error}") from None
    return value


def read(session: Session, connection_id: UUID) -> ConnectionSettings:
    """The settings of this connection; those that were never changed have their defaults."""
    return ConnectionSettings({name: one.value for name, one in kept(session, connection_id).items()})


def kept(session: Session, connection_id: UUID) -> dict[str, Kept]:
    """Those that were ever changed. A setting that only a newer version knows is left out."""
    rows = QUERIES.read(session, connection_id=connection_id)
    return {
        row["name"]: Kept(row["value"], row["changed_by"], row["changed_at"]) for row in rows if row["name"] in SETTINGS
    }


def misfits(settings: ConnectionSettings, offers: Offers) -> list[Problem]:
    """The settings that do not fit, or no longer: of an account or tax code that was archived, for instance."""
    found = []
    for setting in SETTINGS.values():
        if setting.thing and (value := settings[setting.name]):
            offer = offers.get(setting.thing, value)
            label = offer.shown if offer else value
            shown = f"{setting.thing} '{label}'"
            if misfit := offer.misfit if offer else Misfit.GONE:
                found.append(Problem(setting, misfit, f"{shown} {SAYS[misfit]}", label))
            elif setting.with_account:
                account = offers.get(Thing.ACCOUNT, settings[setting.with_account])
                assert offer
                if account and not account.misfit and not offer.goes_with(account):
                    says = f"{shown} cannot be used with account '{account.shown}'"
                    found.append(Problem(setting, Misfit.NOT_TOGETHER, says, label))
                elif account is None and setting.account_class not in offer.applies:
                    says = f"{shown} cannot be used with any {setting.account_class.lower()} account"
                    found.append(Problem(setting, Misfit.NOT_TOGETHER, says, label))
    return found


def change(session: Session, connection_id: UUID, changes: Mapping[str, str], who: str) -> ConnectionSettings:
    """Changes these settings, and writes an event that names who did it; none if nothing changes.

    An account or tax code is given by its code or id, a tracking category by its name or id.

    Raises:
        ValueError: There is no such setting, or it cannot have that value. Nothing was changed.
        LookupError: There is no such connection, or it is deleted.
    """
    wanted = parse(changes)
    with session.transaction():
        CONNECTIONS.lock(session, id=connection_id)
        connection = connections.one(session, connection_id)
        if connection.state == "deleted":
            raise LookupError(f"{connection.organisation} is deleted; connect it again")
        before = read(session, connection_id)
        changed = {name: value for name, value in wanted.items() if value != before[name]}
        offers = Offers(session, connection_id) if any(SETTINGS[name].thing for name in changed) else None
        if offers:
            changed = {name: value for name, value in _found(changed, offers).items() if value != before[name]}
        if not changed:
            return before
        after = ConnectionSettings({**before.values, **changed})
        if offers:
            _refuse_misfits(after, offers, changed)
        user = fit(on_a_line(who), LONGEST_NAME)
        for name, value in changed.items():
            QUERIES.set(session, connection_id=connection_id, name=name, value=value, who=user)
        what = ", ".join(_said(SETTINGS[name], before[name], value, offers) for name, value in changed.items())
        about = Direction.CONNECT, "connection", Status.SUCCESS, EventOutcome.DONE
        events.record(session, connection_id, *about, f"settings changed by {user}: {what}", Origin())
    return after


def _found(changed: Mapping[str, str], offers: Offers) -> dict[str, str]:
    """With the ids of what was given by code or name."""
    ids = {}
    for name, value in changed.items():
        thing = SETTINGS[name].thing
        try:
            ids[name] = offers.find(thing, value).value if thing and value else value
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return ids


def _refuse_misfits(after: ConnectionSettings, offers: Offers, changed: Mapping[str, str]) -> None:
    for problem in misfits(after, offers):
        together = problem.misfit is Misfit.NOT_TOGETHER and problem.setting.with_account in changed
        if together or problem.setting.name in changed:
            raise ValueError(f"{problem.setting.name}: {problem.says}")


def _said(setting: Setting, before: str, after: str, offers: Offers | None) -> str:
    if setting.private:
        return setting.name
    old, new = (shown(setting, value, offers) for value in (before, after))
    return f"{setting.name} from {old} to {new}"


def shown(setting: Setting, value: str, offers: Offers | None) -> str:
    """The value as people read it."""
    if not value:
        return "none"
    return offers.shown(setting.thing, value) if setting.thing and offers else value
