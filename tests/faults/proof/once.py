"""Whether every document stands in Xero once, as QicWorks has it, and each that failed says why and what to do."""

from collections import Counter
from collections.abc import Iterator

from tests.faults.proof.facts import Document, Facts, Record, Result, Side

GONE = ("DELETED", "VOIDED")
ASK = "check in Xero"  # what a push says of a document of which nobody can tell whether it arrived


def check(facts: Facts) -> Result:
    states: Counter[str] = Counter()
    wrong: list[str] = []
    records = 0
    for side in facts.sides:
        records += len(side.records)
        states.update(f"{document.kind} {document.row['push_state']}" for document in side.documents)
        wrong += [f"{side.name}, {says}" for says in of_side(side)]
    wrong += [
        f"push request {one['id']} of {one['kind']} is still open" for one in facts.requests if not one["closed_at"]
    ]
    if not any(state.endswith(" pushed") for state in states):
        wrong.append("nothing was pushed: this proves nothing")
    said = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return Result("every document once in Xero", f"{said}; {records} records that are new in Xero", wrong)


def of_side(side: Side) -> Iterator[str]:
    there = {record.xero_id: record for record in side.records}
    for document in side.documents:
        yield from (f"{document.name}: {says}" for says in of_document(document, there))
    owned = Counter(str(one.row["xero_id"]) for one in side.documents if one.row["xero_id"])
    for xero_id, count in owned.items():
        if count > 1:
            yield f"record {xero_id} in Xero is {count} documents"
    doubtful = {one.row.get("number") for one in side.documents if ASK in (one.row["push_error"] or "")}
    for record in side.records:
        if record.xero_id not in owned and record.status not in GONE and record.number not in doubtful:
            yield f"{' or '.join(record.kinds)} {record.number} ({record.xero_id}) is in Xero, twice or nobody's"


def of_document(document: Document, there: dict[str, Record]) -> Iterator[str]:
    row, record = document.row, there.get(str(document.row["xero_id"]))
    match row["push_state"]:
        case "draft" | "skipped":
            if record:
                yield f"it is {row['push_state']}, and stands in Xero"
        case "failed":
            if not row["push_error"] or not row["push_correction"]:
                yield f"it failed without words ({row['push_error']!r}) or correction ({row['push_correction']!r})"
        case "pushed" if record is None:
            yield "it is pushed, and not in Xero"
        case "pushed" if record.status in GONE or record.status != document.ours.get("status", record.status):
            if not document.touched:
                yield f"it is {record.status} in Xero, and nobody did that"
            elif record.status not in GONE and "amounts" in record.theirs:
                yield from unlike(document, record, ("amounts", "number"))
        case "pushed":
            yield from unlike(document, record, tuple(document.ours))
            if sorted(document.files) != sorted(document.attached):
                yield f"attachments are {document.attached} in Xero, {document.files} in QicWorks"
        case state:
            yield f"it is still {state}: {row['push_error']}"


def unlike(document: Document, record: Record, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if document.ours[name] != record.theirs.get(name):
            yield f"{name} is {record.theirs.get(name)!r} in Xero, {document.ours[name]!r} in QicWorks"
