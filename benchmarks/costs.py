"""What a month costs at Xero: calls, megabytes and Australian dollars, of an organisation and of a service with many.

Xero bills connections and what is read from it (egress). How much a record weighs is measured at the local Xero; how
often what is read follows from the schedules, and from a typical firm, which is stated. Whether Xero counts before or
after compression is not known: both are shown, and the dearer is billed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.contacts_report import table
from benchmarks.surroundings import CLIENT, Surroundings, surroundings

RESULTS = Path(__file__).parent / "results"
PORT = 54395
NIGHTS, WEEKS = 365 / 12, 365 / 12 / 7
SERVICES = (50, 1_000, 10_000)
GIB, MIB = 2**30, 2**20


@dataclass(frozen=True)
class Tier:
    """Of Xero's prices from 2 March 2026, in AUD a month without tax; `egress` in GiB a month."""

    name: str
    connections: int
    fee: int
    egress: float
    overage: float


TIERS = (
    Tier("Starter", 5, 0, math.inf, 0.0),
    Tier("Core", 50, 35, 10, 2.40),
    Tier("Plus", 1_000, 245, 50, 2.40),
    Tier("Advanced", 10_000, 1_445, 250, 2.40),
)

# A firm of twelve in a trade. A month has 400 invoices, each paid once; a day changes 20 of its contacts.
FIRM = {"Contacts": 1_500, "Accounts": 120, "TaxRates": 20, "TrackingCategories": 2, "Payments": 400 * 12,
        "Employees": 12, "PayItems": 60, "PayrollCalendars": 2}  # fmt: skip
CHANGED_A_NIGHT = {"Contacts": 20, "Accounts": 0.1, "Payments": 400 / NIGHTS, "Employees": 0.2}
PUSHED = {"Invoices": 400, "bills": 150}  # a month, in batches of those that are ready within a quarter of an hour
BATCH = 3
MOST_COMPARED = 5_000  # records of each data set that the weekly comparison reads at most

PATHS = {
    "Contacts": ("/api.xro/2.0/Contacts", {"page": 1, "pageSize": 1000, "includeArchived": "true"}),
    "Accounts": ("/api.xro/2.0/Accounts", {}),
    "TaxRates": ("/api.xro/2.0/TaxRates", {}),
    "TrackingCategories": ("/api.xro/2.0/TrackingCategories", {"includeArchived": "true"}),
    "Payments": ("/api.xro/2.0/Payments", {"page": 1, "pageSize": 1000}),
    "Invoices": ("/api.xro/2.0/Invoices", {"page": 1, "pageSize": 1000}),
    "summaries": ("/api.xro/2.0/Invoices", {"page": 1, "pageSize": 1000, "summaryOnly": "true"}),
    "Employees": ("/payroll.xro/1.0/Employees", {"page": 1}),
    "PayrollCalendars": ("/payroll.xro/1.0/PayrollCalendars", {}),
}


@dataclass
class Month:
    """Calls, and bytes before compression, of one organisation."""

    name: str
    says: str
    calls: float = 0.0
    plain: float = 0.0
    parts: dict[str, tuple[float, float]] = field(default_factory=dict)

    def add(self, what: str, calls: float, plain: float) -> None:
        self.calls, self.plain = self.calls + calls, self.plain + plain
        before = self.parts.get(what, (0.0, 0.0))
        self.parts[what] = (before[0] + calls, before[1] + plain)


@dataclass(frozen=True)
class Weight:
    """Bytes of a record and of what is around them, as JSON; `packed`, how much of that gzip leaves."""

    record: float
    around: float
    packed: float

    def of(self, records: float, answers: float = 1.0) -> float:
        return records * self.record + answers * self.around


def weigh(around: Surroundings) -> dict[str, Weight]:
    """Each kind of record, as the local Xero sends it."""
    form = {"grant_type": "client_credentials"}
    token = around.session.post(f"{around.xero}/connect/token", data=form, auth=CLIENT, timeout=60).json()
    headers = {"Authorization": f"Bearer {token['access_token']}", "xero-tenant-id": around.tenant}
    headers |= {"Accept": "application/json", "Accept-Encoding": "identity"}
    found = {}
    for plural, (path, params) in PATHS.items():
        answer = around.session.get(around.xero + path, params=params, headers=headers, timeout=60)
        answer.raise_for_status()
        records = answer.json()["Invoices" if plural == "summaries" else plural]
        size = sum(len(json.dumps(record, separators=(",", ":"))) for record in records)
        packed = len(gzip.compress(answer.content)) / len(answer.content)
        found[plural] = Weight(size / len(records), max(0.0, len(answer.content) - size), packed)
    employee = around.steer("GET", around.collection("Employees"))[0]["EmployeeID"]
    answer = around.session.get(f"{around.xero}/payroll.xro/1.0/Employees/{employee}", headers=headers, timeout=60)
    found["Employee"] = Weight(len(answer.content), 0.0, len(gzip.compress(answer.content)) / len(answer.content))
    answer = around.session.get(f"{around.xero}/payroll.xro/1.0/PayItems", headers=headers, timeout=60)
    found["PayItems"] = Weight(0.0, len(answer.content), len(gzip.compress(answer.content)) / len(answer.content))
    return found


def accounting(
    month: Month, weights: Mapping[str, Weight], *, page: int, again: Mapping[str, float], whole: bool
) -> None:
    """The five accounting data sets, each night. `again`: how much of what is held a night with nothing new reads of
    the data sets that Xero could filter; `whole`: once a week all is read, to see what Xero does not tell of."""
    for plural in ("Contacts", "Accounts", "Payments"):
        weight, held = weights[plural], FIRM[plural]
        nightly = again.get(plural, 0.0) * held + CHANGED_A_NIGHT[plural]
        paged = 1 if plural == "Accounts" else max(1, math.ceil(nightly / page))
        month.add(plural, NIGHTS * paged, NIGHTS * weight.of(nightly, paged))
        if whole:
            pages = 1 if plural == "Accounts" else math.ceil(held / page)
            month.add(plural, WEEKS * (pages - paged), WEEKS * (weight.of(held, pages) - weight.of(nightly, paged)))
    for plural in ("TaxRates", "TrackingCategories"):
        month.add(plural, NIGHTS, NIGHTS * weights[plural].of(FIRM[plural]))


def invoices(month: Month, weights: Mapping[str, Weight]) -> None:
    """What `invoice_payments` reads beside payments: summaries of the invoices that changed, whole once a week."""
    weight, nightly = weights["summaries"], CHANGED_A_NIGHT["Payments"]
    month.add("summaries of invoices", NIGHTS, NIGHTS * weight.of(nightly))
    pages = math.ceil(FIRM["Payments"] / 1000)
    month.add("summaries of invoices", WEEKS * pages, WEEKS * weight.of(FIRM["Payments"], pages))


def payroll(month: Month, weights: Mapping[str, Weight]) -> None:
    """Pay codes and staff each night, leave balances and a push of pay each week: one call an employee, or three."""
    month.add("PayItems", 2 * NIGHTS, NIGHTS * (weights["PayItems"].around + weights["PayrollCalendars"].of(2)))
    staff, one = FIRM["Employees"], weights["Employee"]
    changed = CHANGED_A_NIGHT["Employees"]
    month.add("Employees", NIGHTS * (1 + changed), NIGHTS * (weights["Employees"].of(staff) + changed * one.record))
    month.add("leave balances", WEEKS * (1 + staff), WEEKS * (weights["Employees"].of(staff) + staff * one.record))
    month.add("push payroll", WEEKS * 3 * staff, WEEKS * 3 * staff * one.record)


def comparing(month: Month, weights: Mapping[str, Weight]) -> None:
    """The weekly comparison: counts of contacts, the newest payments and invoices, all of what does not page."""
    month.add("reconcile", 2 * WEEKS, 2 * WEEKS * weights["Contacts"].of(1))
    for plural in ("Payments", "summaries"):
        held = min(FIRM["Payments"], MOST_COMPARED)
        month.add("reconcile", WEEKS * math.ceil(held / 1000), WEEKS * weights[plural].of(held, math.ceil(held / 1000)))
    for plural in ("Accounts", "TaxRates", "TrackingCategories", "Employees", "PayrollCalendars"):
        month.add("reconcile", WEEKS, WEEKS * weights[plural].of(FIRM[plural]))
    month.add("reconcile", WEEKS, WEEKS * weights["PayItems"].around)


def pushing(month: Month, weights: Mapping[str, Weight], batch: float) -> None:
    """What Xero answers to documents repeats them; whether that is billed is not known, so it is counted. Bills are
    looked for before they are made: a call for each."""
    for what, documents in PUSHED.items():
        month.add(f"push {what.lower()}", documents / batch, weights["Invoices"].of(documents, documents / batch))
    month.add("look for bills", PUSHED["bills"], weights["Invoices"].of(0, PUSHED["bills"]))


def months(weights: Mapping[str, Weight], again: Mapping[str, float]) -> list[Month]:
    """This project, and what users would pick instead; `again` as measured of each."""
    ours = Month("this project, the same", "accounting data only, as the others; whole once a week")
    accounting(ours, weights, page=1000, again={}, whole=True)
    everything = Month("this project, everything", "invoices, payroll, the weekly comparison and pushes, too")
    accounting(everything, weights, page=1000, again={}, whole=True)
    invoices(everything, weights)
    payroll(everything, weights)
    comparing(everything, weights)
    everything.add("the organisation itself, which is not billed", NIGHTS, 0)
    pushing(everything, weights, BATCH)
    found = [ours, everything]
    for name, page in (("dlt", 1000), ("tap-xero, target-postgres", 100), ("xero-python loop, page 100", 100)):
        share = round(again[name])  # the little that overlaps is left out of all of them
        how = "reads everything each night" if share else "reads what changed"
        other = Month(name, f"{how}, as measured with contacts")
        accounting(other, weights, page=page, again=dict.fromkeys(FIRM, share), whole=False)
        found.append(other)
    return found


def read_again(results: Path) -> dict[str, float]:
    """How much of its first pull each tool reads when nothing has changed, as measured."""
    if not results.exists():
        raise SystemExit(f"{results} is not there: `make bench BENCH=contacts` measures it")
    runs = json.loads(results.read_text())["runs"]
    size = max(run["size"] for run in runs)

    def received(stage: str) -> dict[str, float]:
        return {run["tool"]: run["received"] for run in runs if run["size"] == size and run["stage"] == stage}

    first, nothing = received("first pull"), received("nothing changed")
    return {tool: nothing[tool] / first[tool] for tool in first}


def tier(connections: int) -> Tier:
    return next(one for one in TIERS if connections <= one.connections)


def bill(month: Month, connections: int) -> tuple[float, float]:
    """GiB and AUD a month."""
    chosen, gib = tier(connections), connections * month.plain / GIB
    return gib, chosen.fee + max(0.0, gib - chosen.egress) * chosen.overage


def text(found: list[Month], weights: Mapping[str, Weight]) -> str:
    packed = weights["Contacts"].packed

    def rows() -> Iterator[tuple[object, ...]]:
        for month in found:
            plain = month.plain / MIB
            yield month.name, f"{month.calls:.0f}", f"{plain:.1f}", f"{plain * packed:.1f}", month.says

    def bills() -> Iterator[tuple[object, ...]]:
        for month in found:
            cells = []
            for connections in SERVICES:
                gib, dollars = bill(month, connections)
                cells += [f"{gib:.1f}", f"{dollars:,.0f}"]
            yield month.name, *cells

    def parts() -> Iterator[tuple[object, ...]]:
        for what, (calls, plain) in found[1].parts.items():
            yield what, f"{calls:.0f}", f"{plain / MIB:.2f}"

    head = ("", *(f"{what}" for one in SERVICES for what in (f"{one:,}: GiB", f"{one:,}: AUD")))
    firm = ", ".join(f"{number:,} {plural}" for plural, number in FIRM.items())
    return "\n".join([
        "# What a month costs at Xero",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}. A typical firm has {firm}; a night changes"
        f" {CHANGED_A_NIGHT['Contacts']} contacts and brings {CHANGED_A_NIGHT['Payments']:.0f} payments; a month pushes"
        f" {PUSHED['Invoices']} invoices and {PUSHED['bills']} bills, {BATCH} to a request, and 12 people are paid"
        " weekly. Attachments and leave are left out. Weights are those of the local Xero's records. Computed from"
        " them, not measured over a month.",
        "",
        *table(("an organisation, a month", "calls", "MiB as JSON", "MiB compressed", ""), rows()),
        "",
        "What this project reads more is the whole reading of each week: Xero does not tell of every change, nor of"
        " what is deleted, and the others never hear of it.",
        "",
        "Of this project, everything:",
        "",
        *table(("", "calls", "MiB as JSON"), parts()),
        "",
        "Of a service with so many organisations, egress as JSON, and Xero's bill without tax (tiers of 2 March 2026: "
        + "; ".join(f"{one.name} up to {one.connections:,} connections {one.fee} AUD with {one.egress:g} GiB"
                    for one in TIERS[1:]) + "; 2.40 AUD a GiB beyond):",
        "",
        *table(head, bills()),
        "",
        "Custom connections are billed apart: 10 AUD a month each, paid by the organisation.",
        "",
    ])  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.costs", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/costs.md")
    given = parser.parse_args(arguments)
    again = read_again(RESULTS / "contacts.json")
    with surroundings(PORT) as around:
        around.steer("PATCH", "settings", {"limits": False})
        weights = weigh(around)
    report = text(months(weights, again), weights)
    print(report)
    if given.write:
        (RESULTS / "costs.md").write_text(report)


if __name__ == "__main__":
    sys.exit(main())
