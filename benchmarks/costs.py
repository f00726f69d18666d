"""Computes a month's costs at Xero: calls, megabytes and Australian dollars, for one organisation and for a service.

Xero bills connections and the data read from it (egress). The size of a record is measured with the sandbox; how often
it is read follows from the schedules and from a typical business, which is stated. Whether Xero counts before or after
compression is not known: both are shown, and the more expensive one is billed.
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
    """A tier of Xero's prices from 2 March 2026: AUD a month without tax; `egress` in GiB a month."""

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

# A trade business with 12 staff: 400 invoices a month, each paid once; 20 contacts change a day.
FIRM = {"Contacts": 1_500, "Accounts": 120, "TaxRates": 20, "TrackingCategories": 2, "Payments": 400 * 12,
        "Employees": 12, "PayItems": 60, "PayrollCalendars": 2}  # fmt: skip
CHANGED_A_NIGHT = {"Contacts": 20, "Accounts": 0.1, "Payments": 400 / NIGHTS, "Employees": 0.2}
PUSHED = {"Invoices": 400, "bills": 150}  # a month; a batch is what becomes ready within 15 minutes
BATCH = 3
MOST_COMPARED = 5_000  # records of a data set that the weekly comparison reads

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
    """A month of one organisation: calls, and bytes before compression."""

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
    """Bytes of a record and of its envelope as JSON; `packed` is the share left by gzip."""

    record: float
    around: float
    packed: float

    def of(self, records: float, responses: float = 1.0) -> float:
        return records * self.record + responses * self.around


def weigh(around: Surroundings) -> dict[str, Weight]:
    """The size of each type of record in the sandbox's responses."""
    form = {"grant_type": "client_credentials"}
    token = around.session.post(f"{around.xero}/connect/token", data=form, auth=CLIENT, timeout=60).json()
    headers = {"Authorization": f"Bearer {token['access_token']}", "xero-tenant-id": around.tenant}
    headers |= {"Accept": "application/json", "Accept-Encoding": "identity"}
    found = {}
    for plural, (path, params) in PATHS.items():
        response = around.session.get(around.xero + path, params=params, headers=headers, timeout=60)
        response.raise_for_status()
        records = response.json()["Invoices" if plural == "summaries" else plural]
        size = sum(len(json.dumps(record, separators=(",", ":"))) for record in records)
        packed = len(gzip.compress(response.content)) / len(response.content)
        found[plural] = Weight(size / len(records), max(0.0, len(response.content) - size), packed)
    employee = around.steer("GET", around.collection("Employees"))[0]["EmployeeID"]
    response = around.session.get(f"{around.xero}/payroll.xro/1.0/Employees/{employee}", headers=headers, timeout=60)
    found["Employee"] = Weight(len(response.content), 0.0, len(gzip.compress(response.content)) / len(response.content))
    response = around.session.get(f"{around.xero}/payroll.xro/1.0/PayItems", headers=headers, timeout=60)
    found["PayItems"] = Weight(0.0, len(response.content), len(gzip.compress(response.content)) / len(response.content))
    return found


def accounting(
    month: Month, weights: Mapping[str, Weight], *, page: int, again: Mapping[str, float], weekly_full: bool
) -> None:
    """Adds the five accounting data sets, pulled nightly.

    Args:
        again: share of the stored records that a night with nothing new reads, for data sets that Xero can filter.
        weekly_full: a weekly full refresh, which finds changes that Xero's filter misses.
    """
    for plural in ("Contacts", "Accounts", "Payments"):
        weight, stored = weights[plural], FIRM[plural]
        nightly = again.get(plural, 0.0) * stored + CHANGED_A_NIGHT[plural]
        paged = 1 if plural == "Accounts" else max(1, math.ceil(nightly / page))
        month.add(plural, NIGHTS * paged, NIGHTS * weight.of(nightly, paged))
        if weekly_full:
            pages = 1 if plural == "Accounts" else math.ceil(stored / page)
            month.add(plural, WEEKS * (pages - paged), WEEKS * (weight.of(stored, pages) - weight.of(nightly, paged)))
    for plural in ("TaxRates", "TrackingCategories"):
        month.add(plural, NIGHTS, NIGHTS * weights[plural].of(FIRM[plural]))


def invoices(month: Month, weights: Mapping[str, Weight]) -> None:
    """Adds the summaries of invoices that `invoice_payments` reads: changed ones nightly, all of them weekly."""
    weight, nightly = weights["summaries"], CHANGED_A_NIGHT["Payments"]
    month.add("summaries of invoices", NIGHTS, NIGHTS * weight.of(nightly))
    pages = math.ceil(FIRM["Payments"] / 1000)
    month.add("summaries of invoices", WEEKS * pages, WEEKS * weight.of(FIRM["Payments"], pages))


def payroll(month: Month, weights: Mapping[str, Weight]) -> None:
    """Adds pay codes and staff nightly, leave balances and a push of pay weekly: one or three calls per employee."""
    month.add("PayItems", 2 * NIGHTS, NIGHTS * (weights["PayItems"].around + weights["PayrollCalendars"].of(2)))
    staff, one = FIRM["Employees"], weights["Employee"]
    changed = CHANGED_A_NIGHT["Employees"]
    month.add("Employees", NIGHTS * (1 + changed), NIGHTS * (weights["Employees"].of(staff) + changed * one.record))
    month.add("leave balances", WEEKS * (1 + staff), WEEKS * (weights["Employees"].of(staff) + staff * one.record))
    month.add("push payroll", WEEKS * 3 * staff, WEEKS * 3 * staff * one.record)


def comparing(month: Month, weights: Mapping[str, Weight]) -> None:
    """Adds the weekly comparison: counts of contacts, the newest payments and invoices, and every unpaged list."""
    month.add("reconcile", 2 * WEEKS, 2 * WEEKS * weights["Contacts"].of(1))
    for plural in ("Payments", "summaries"):
        stored = min(FIRM["Payments"], MOST_COMPARED)
        pages = math.ceil(stored / 1000)
        month.add("reconcile", WEEKS * pages, WEEKS * weights[plural].of(stored, pages))
    for plural in ("Accounts", "TaxRates", "TrackingCategories", "Employees", "PayrollCalendars"):
        month.add("reconcile", WEEKS, WEEKS * weights[plural].of(FIRM[plural]))
    month.add("reconcile", WEEKS, WEEKS * weights["PayItems"].around)


def pushing(month: Month, weights: Mapping[str, Weight], batch: float) -> None:
    """Adds pushes. Xero's responses repeat the documents; whether that is billed is not known, so it is counted.

    Each bill is searched for before it is created: one call each.
    """
    for what, documents in PUSHED.items():
        month.add(f"push {what.lower()}", documents / batch, weights["Invoices"].of(documents, documents / batch))
    month.add("look for bills", PUSHED["bills"], weights["Invoices"].of(0, PUSHED["bills"]))


def months(weights: Mapping[str, Weight], again: Mapping[str, float]) -> list[Month]:
    """This project and its alternatives; `again` as measured for each."""
    ours = Month("this project, the same", "accounting data only, as the others; weekly full refresh")
    accounting(ours, weights, page=1000, again={}, weekly_full=True)
    everything = Month("this project, everything", "invoices, payroll, the weekly comparison and pushes, too")
    accounting(everything, weights, page=1000, again={}, weekly_full=True)
    invoices(everything, weights)
    payroll(everything, weights)
    comparing(everything, weights)
    everything.add("the organisation itself, which is not billed", NIGHTS, 0)
    pushing(everything, weights, BATCH)
    found = [ours, everything]
    for name, page in (("dlt", 1000), ("tap-xero, target-postgres", 100), ("xero-python loop, page 100", 100)):
        share = round(again[name])  # ignores the small overlap of every tool
        how = "reads everything each night" if share else "reads what changed"
        other = Month(name, f"{how}, as measured with contacts")
        accounting(other, weights, page=page, again=dict.fromkeys(FIRM, share), weekly_full=False)
        found.append(other)
    return found


def read_again(results: Path) -> dict[str, float]:
    """The measured share of its first pull that each tool reads when nothing has changed."""
    if not results.exists():
        raise SystemExit(f"{results} does not exist: run `make bench BENCH=contacts`")
    runs = json.loads(results.read_text())["runs"]
    size = max(run["size"] for run in runs)

    def received(stage: str) -> dict[str, float]:
        return {run["tool"]: run["received"] for run in runs if run["size"] == size and run["stage"] == stage}

    first, nothing = received("first pull"), received("nothing changed")
    return {tool: nothing[tool] / first[tool] for tool in first}


def tier(connections: int) -> Tier:
    return next(one for one in TIERS if connections <= one.connections)


def bill(month: Month, connections: int) -> tuple[float, float]:
    """GiB and AUD of a month."""
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
        " weekly. Attachments and leave are not included. Computed from the sizes of the sandbox's records, not"
        " measured over a month.",
        "",
        *table(("an organisation, a month", "calls", "MiB as JSON", "MiB compressed", ""), rows()),
        "",
        "This project reads more because of its weekly full refresh: Xero's change filter misses some changes and all"
        " deletions, which the other tools never see.",
        "",
        "This project, all data sets and pushes:",
        "",
        *table(("", "calls", "MiB as JSON"), parts()),
        "",
        "For a service with that many organisations: egress as JSON, and Xero's bill without tax (tiers of 2 March"
        " 2026: " + "; ".join(f"{one.name} up to {one.connections:,} connections {one.fee} AUD with {one.egress:g} GiB"
                    for one in TIERS[1:]) + "; 2.40 AUD a GiB beyond):",
        "",
        *table(head, bills()),
        "",
        "Custom connections are billed separately: 10 AUD a month each, paid by the organisation.",
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
