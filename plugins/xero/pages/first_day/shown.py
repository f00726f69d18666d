"""What the page First day shows of each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from xero.dag_ids import pull_dag_of, push_dag_of
from xero.datasets.declaration import Dataset
from xero.documents.declaration import Kind
from xero.qicworks.connect.connections import Connection
from xero.qicworks.connect.declared_settings import NewContacts, Setting
from xero.qicworks.connect.settings import Problem
from xero.qicworks.views.first_day import Unlinked
from xero.qicworks.views.status import DataSet


class State(StrEnum):
    """Of a step, or of a part of one."""

    DONE = "done"
    OPTIONAL = "optional"  # nothing has to be done, but there is something to know
    LEFT = "to do"
    NOT_YET = "not yet"


@dataclass(frozen=True)
class Pulled:
    """A data set of the set-up. `why` is what became of it, in a word or two."""

    dataset: Dataset
    state: State
    why: str
    running: bool = False
    paused: bool = False

    @property
    def dag_id(self) -> str:
        return pull_dag_of(self.dataset.name)


@dataclass(frozen=True)
class SetUp:
    state: State
    parts: Sequence[Pulled]

    @property
    def left(self) -> list[Pulled]:
        """Those that have to be pulled; what is running is being pulled."""
        return [one for one in self.parts if one.state is State.LEFT and not one.running]

    @property
    def running(self) -> list[Pulled]:
        return [one for one in self.parts if one.running]

    @property
    def not_offered(self) -> list[Pulled]:
        """Those that Xero does not offer to this organisation."""
        return [one for one in self.parts if one.state is State.OPTIONAL]


@dataclass(frozen=True)
class Settings:
    """`problems` have to be fixed; without the defaults of `unset`, lines need an account and tax code of their own."""

    state: State
    problems: Sequence[Problem] = ()
    unset: Sequence[Setting] = ()

    @property
    def unset_of(self) -> Mapping[str, list[str]]:
        """Title of the type of document → titles of its settings that are not set."""
        found: dict[str, list[str]] = {}
        for one in self.unset:
            found.setdefault(one.kind.title if one.kind else "", []).append(one.title.lower())
        return found


@dataclass(frozen=True)
class People:
    """`counts` None: not known yet."""

    state: State
    counts: Unlinked | None = None
    new_contacts: NewContacts = NewContacts.ASK
    has_people: bool = True  # Xero offers its people to this organisation


@dataclass(frozen=True)
class Ready:
    """Documents of a kind by their state, each counted up to a limit. `paused` None: its DAG is not in Airflow."""

    kind: Kind
    ready: int
    failed: int
    pushed: int
    paused: bool | None
    needed: bool = True  # False: what it is made of is not offered to this organisation

    @property
    def dag_id(self) -> str:
        return push_dag_of(self.kind.name)


@dataclass(frozen=True)
class DryRun:
    """`last`: kind → its last dry run, whoever did it. `changed`: how many documents became ready, or were changed,
    since; `overtaken`: settings, set-up data, contacts or links were. `blocked`: nothing can be checked before the
    set-up data is there."""

    state: State
    parts: Sequence[Ready]
    last: Mapping[str, DataSet]
    changed: int
    overtaken: bool
    blocked: bool

    @property
    def ready(self) -> list[Ready]:
        return [one for one in self.parts if one.ready]

    @property
    def unchecked(self) -> list[Ready]:
        """Those that are ready, and of which there was no dry run; none if there was none of any."""
        return [one for one in self.ready if self.last and one.kind.name not in self.last]

    @property
    def failed(self) -> list[Ready]:
        return [one for one in self.parts if one.failed]

    @property
    def pushed(self) -> list[Ready]:
        return [one for one in self.parts if one.pushed]


@dataclass(frozen=True)
class Pushes:
    """`others`: how many other organisations a push DAG sends documents of."""

    state: State
    on: bool
    parts: Sequence[Ready]
    others: int

    @property
    def paused(self) -> list[Ready]:
        return [one for one in self.parts if one.needed and one.paused is not False]


@dataclass(frozen=True)
class Checklist:
    connection: Connection
    set_up: SetUp
    settings: Settings
    people: People
    dry_run: DryRun
    pushes: Pushes
    is_partial: bool  # the viewer may not read all DAGs: what they may not read is not counted

    @property
    def steps(self) -> list[tuple[str, State]]:
        """The title and state of each, in order."""
        return [
            ("Set-up data pulled", self.set_up.state),
            ("Settings", self.settings.state),
            ("People and contacts matched", self.people.state),
            ("Dry run", self.dry_run.state),
            ("Pushes on", self.pushes.state),
        ]

    @property
    def left(self) -> list[str]:
        """The titles of the steps that are not done."""
        return [title for title, state in self.steps if state in (State.LEFT, State.NOT_YET)]
