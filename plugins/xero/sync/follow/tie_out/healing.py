"""Heals what a difference allows without a person: the document is pushed again, or its data set is pulled again.

Nothing that a person changed in Xero is overwritten unless the organisation's setting, or a user's choice, says so.
Nothing is ever deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from sqlalchemy import Engine

from xero.api.errors import XeroError
from xero.datasets.registry import DATASETS
from xero.documents.declaration import Kind, PricedKind
from xero.documents.registry import KINDS
from xero.qicworks.connect import settings
from xero.qicworks.connect.settings import Conflicts
from xero.qicworks.follow.differences import Difference, Reason
from xero.qicworks.follow.pushed_documents import PushedDocuments
from xero.qicworks.follow.wording import say
from xero.sync.connect.clients import OpenClient
from xero.sync.follow.lasting import compare_data_set
from xero.sync.follow.pulling import pull
from xero.sync.runs.outcome import PullFailed, Skip
from xero.sync.runs.run import Run


class Act(StrEnum):
    PUSHED_AGAIN = "pushed again"  # made ready: the next push sends it
    PULLED_AGAIN = "pulled again"
    LEFT = "left"  # to a person, or to a later run


@dataclass(frozen=True)
class Healed:
    """What was done about the differences of one thing, or why nothing was."""

    label: str
    reasons: tuple[Reason, ...]
    act: Act
    says: str


class Healing:
    """`calls`: those of its pulls."""

    def __init__(self, it: Run, engine: Engine, open_client: OpenClient) -> None:
        self.it = it
        self.engine = engine
        self.open_client = open_client
        self.conflicts = settings.read(it.session, it.connection.id).conflicts
        self.calls = 0

    def heal(self, found: Iterable[Difference]) -> Iterator[Healed]:
        """Does what can be done, for each document or data set together."""

        def thing(one: Difference) -> tuple[str, str, bool]:
            return one.document_kind, str(one.document_id or ""), one.reason is Reason.SETTING_UNFIT

        for (name, *_), some in groupby(sorted(found, key=thing), key=thing):
            same = list(some)
            kind, document = KINDS.get(name), same[0].document_id
            if isinstance(kind, PricedKind) and document:
                yield self._document(kind, document, same)
            elif name in DATASETS and {one.reason for one in same} == {Reason.RECORDS_DIFFER}:
                yield self._data_set(name, same)
            else:
                yield _left(same, _correction(same))

    def _document(self, kind: Kind, id: UUID, same: Sequence[Difference]) -> Healed:
        """Pushes it again if only QicWorks' edit is missing in Xero, or it was decided whose version stays."""
        reasons = {one.reason for one in same}
        if reasons == {Reason.EDITED_IN_QICWORKS}:
            return self._push_again(kind, id, same, "its edit is sent")
        if Reason.EDITED_IN_XERO not in reasons or not reasons <= {Reason.EDITED_IN_XERO, Reason.EDITED_IN_QICWORKS}:
            return _left(same, _correction(same))
        chosen = {one.chosen for one in same if one.chosen}
        sides = chosen or ({self.conflicts.value} if self.conflicts is not Conflicts.ASK else set())
        match sorted(sides):
            case ["qicworks"]:
                return self._push_again(kind, id, same, "QicWorks' version is sent, if Xero still takes it")
            case ["xero"]:
                return self._push_again(kind, id, same, "Xero's version is taken over")
            case _:
                return _left(same, _correction(same))

    def _push_again(self, kind: Kind, id: UUID, same: Sequence[Difference], says: str) -> Healed:
        if PushedDocuments(self.it.session, self.it.connection, kind).push_again(id):
            return _healed(same, Act.PUSHED_AGAIN, f"with the next push {says}")
        return _left(same, "it is being pushed, or it is not released")

    def _data_set(self, name: str, same: Sequence[Difference]) -> Healed:
        """Reads it in full, and compares it again."""
        dataset, it = DATASETS[name], self.it
        try:
            outcome = pull(
                dataset,
                it.connection.id,
                engine=self.engine,
                open_client=self.open_client,
                origin=it.origin,
                full=True,
                resume=False,
            )
            self.calls += outcome.counts.calls
            left = compare_data_set(it, it.client, dataset).sentences
        except (XeroError, PullFailed, Skip) as error:
            return _left(same, error.message)
        return _healed(same, Act.PULLED_AGAIN, f"still differs: {'; '.join(left)}" if left else "both sides agree now")


def _healed(same: Sequence[Difference], act: Act, says: str) -> Healed:
    return Healed(same[0].label, tuple(dict.fromkeys(one.reason for one in same)), act, says)


def _left(same: Sequence[Difference], says: str) -> Healed:
    return _healed(same, Act.LEFT, says)


def _correction(same: Sequence[Difference]) -> str:
    """What a person has to do, for each reason once."""
    return " ".join(dict.fromkeys(say(one, one.document_kind)[1] for one in same))
