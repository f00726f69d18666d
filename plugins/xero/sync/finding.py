"""Which record of Xero's is a document of QicWorks', and what follows from that."""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from xero.documents.declaration import Document, Json, PricedKind, Record
from xero.documents.pricing import addressee
from xero.qicworks.outbox import Outbox, Result
from xero.sync import lookup, readback
from xero.sync.sameness import same_content
from xero.sync.settling import Settled, check_in_xero, perhaps_there

log = logging.getLogger(__name__)

#: Xero's words for a number that is there already, or was.
TAKEN = re.compile("must be unique|not of valid status for modification", re.IGNORECASE)
UNKNOWN = Result(None)


class Finder:
    """Judges what was looked up in Xero for documents of one kind and connection."""

    def __init__(self, kind: PricedKind, outbox: Outbox) -> None:
        self.kind = kind
        self.outbox = outbox

    def judge(
        self,
        id: UUID,
        name: str,
        identity: Json,
        found: lookup.Found,
        *,
        first_age: float | None = None,
        document: Document | None = None,
        answered: Result = UNKNOWN,
    ) -> Result:
        """It; nothing; or what only a person can judge. `first_age`: seconds since it was sent, None if it was not;
        `document`: what was sent, None where it has changed since; `answered`: what Xero said of it, if anything."""
        own = self.own(id, identity, found, first_age)
        if len(own) == 1:
            log.info("%s stands in Xero already", name)
            return self._found(name, identity.get(self.kind.number), document, own[0])
        if own:
            return check_in_xero(f"Xero has {len(own)} of it")
        if answered.state == "failed":
            return answered  # its number is somebody else's
        if self._not_others(id, lookup.lookalikes(self.kind, identity, found)):
            return perhaps_there(self.kind, name, identity.get(self.kind.number))
        return answered

    def own(self, id: UUID, identity: Json, found: lookup.Found, first_age: float | None) -> list[Record]:
        """What was found of a document, without what another document is; of several those that are not deleted."""
        own = self._not_others(id, lookup.candidates(self.kind, identity, found, first_age))
        return [record for record in own if record.get("Status") not in self.kind.gone] or own[:1]

    def _not_others(self, id: UUID, records: Sequence[Record]) -> list[Record]:
        ids = [xero_id for record in records if (xero_id := readback.id_of(self.kind, record))]
        others = self.outbox.owned_by_others(id, ids)
        known = self.outbox.existing([at for record in records if (at := addressee(record)) and at != id])
        return [
            record
            for record in records
            if readback.id_of(self.kind, record) not in others and addressee(record) not in known
        ]

    def _found(self, name: str, number: str | None, document: Document | None, record: Record) -> Result:
        """Of what stands in Xero already; ready to be changed there, if it is a draft that says something else."""
        result = readback.read(self.kind, name, number, document, record)
        open_to_change = result.state == "pushed" and result.xero_status in self.kind.editable
        if document is None or not open_to_change or same_content(self.kind, document, record):
            return result
        if not self.kind.addressed:  # it may be somebody's who typed it in: linked, and left as it is
            return replace(result, notes=(*result.notes, "it was in Xero already, where some of it is different"))
        log.info("%s is not in Xero as it is in QicWorks: it is changed there", name)
        return replace(result, state="ready", notes=())


def each_its_own(settled: list[Settled], looked_up: Sequence[int]) -> list[Settled]:
    """A record that was found for two documents is neither's: nothing tells them apart."""
    times: Counter[UUID | None] = Counter(one.result.xero_id for one in settled if one.result.xero_id)
    shared = {at for at in looked_up if times[settled[at].result.xero_id] > 1}
    alike = check_in_xero("QicWorks has another one just like it, and Xero has only one of them")
    return [replace(one, result=alike) if at in shared else one for at, one in enumerate(settled)]


def wants_a_look(result: Result) -> bool:
    """Xero said nothing of it, or that its number is taken: perhaps by itself."""
    return result.state is None or (result.state == "failed" and bool(TAKEN.search(result.error or "")))
