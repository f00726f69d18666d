"""Pushes 1,000 invoices from PostgreSQL to Xero: this project compared with loops over Xero's own SDK.

One by one and fifty at a time: calls, seconds, and how many documents are in Xero twice after a kill half-way and
another run. Xero keeps the numbers of invoices unique, but not those of bills.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks import environments, spending
from benchmarks.contacts_report import table
from benchmarks.spending import Cost
from benchmarks.surroundings import CLIENT, FIRM, Surroundings, surroundings
from benchmarks.tools import OURS_AT_A_TERMINAL, install

RESULT = Path(__file__).parent / "results" / "push.md"
PORT = 54396
HOW_MANY = 1_000
AGAIN_AFTER = (0, 30, 60, 90)  # seconds; Xero may still process a request after its sender was killed
ISSUED, DUE = "2026-10-05", "2026-10-19"  # after the sandbox's lock dates
NEEDED = ("contacts", "chart_of_accounts", "tax_codes")

# Xero's type, with its usual account and tax code.
KINDS = {"invoices": ("invoice", "ACCREC", "200", "OUTPUT"), "bills": ("bill", "ACCPAY", "429", "INPUT")}
DOCUMENTS = """
    INSERT INTO qicworks.{table} (organisation_id, number, contact_id, issue_date, due_date, sub_total, total_tax,
                                  total, push_state)
    SELECT organisation_id, 'M-' || lpad(nth::text, 5, '0'), contact.id, %(issued)s, %(due)s, nth, nth / 10.0,
           nth + nth / 10.0, 'draft'
      FROM generate_series(1, %(how_many)s) AS nth, qicworks.contact
     WHERE contact.xero_id = %(contact)s
"""
LINES = """
    INSERT INTO qicworks.document_line (parent_type, parent_id, line_number, description, unit_price, account_id,
                                        tax_code_id)
    SELECT '{table}', document.id, 1, 'Labour', sub_total, account.id, tax_code.id
      FROM qicworks.{table} AS document
      JOIN qicworks.account ON account.organisation_id = document.organisation_id AND account.code = %(account)s
      JOIN qicworks.tax_code ON tax_code.organisation_id = document.organisation_id AND tax_code.tax_type = %(tax)s
     WHERE left(number, 2) = 'M-'
"""
READY = "UPDATE qicworks.{table} SET push_state = 'ready' WHERE left(number, 2) = 'M-'"


@dataclass
class Pusher:
    """A program with a thousand documents to push. `command` is run until there is nothing left to push."""

    name: str
    around: Surroundings
    kind: str
    command: list[str | Path]
    environment: dict[str, str]
    log: Path
    costs: list[Cost] = field(default_factory=list)

    def run(self, kill_when: Callable[[], bool] = lambda: False) -> Cost:
        cost = spending.run(self.command, self.environment, self.log, kill_when=kill_when)
        self.costs.append(cost)
        return cost

    def calls(self) -> int:
        return sum(call["path"].startswith("/api.xro/") for call in self.around.steer("GET", "calls"))

    def in_xero(self) -> Counter[str]:
        """How often each of our numbers exists in Xero."""
        type_ = KINDS[self.kind][1]
        records = self.around.steer("GET", self.around.collection("Invoices"))
        numbers = (one.get("InvoiceNumber") or "" for one in records if one["Type"] == type_)
        return Counter(number for number in numbers if number.startswith("M-"))


def contact(around: Surroundings) -> str:
    records = around.steer("GET", around.collection("Contacts"))
    return str(next(one["ContactID"] for one in records if one["ContactStatus"] == "ACTIVE"))


def ours(around: Surroundings, kind: str) -> Pusher:
    installed = install(OURS_AT_A_TERMINAL, around)
    log, python = installed.state / "log", [sys.executable, "-m", "xero"]
    for name in NEEDED:
        if spending.run([*python, "pull", name, "--connection", FIRM], installed.environment, log).code:
            raise RuntimeError(log.read_text()[-4000:])
    name, _, account, tax = KINDS[kind]
    values = {"issued": ISSUED, "due": DUE, "how_many": HOW_MANY, "contact": contact(around)}
    with psycopg.connect(installed.database) as connection:
        for statement in (DOCUMENTS, LINES, READY):
            connection.execute(statement.format(table=name).encode(), {**values, "account": account, "tax": tax})
    command = [*python, "push", kind, "--connection", FIRM]
    return Pusher("this project", around, kind, command, installed.environment, log)


def sdk(around: Surroundings, kind: str, batch: int) -> Pusher:
    name = "xero-python, one by one" if batch == 1 else f"xero-python, {batch} at a time"
    folder = environments.PEERS / "xero_python"
    environments.make(folder)
    _, type_, account, tax = KINDS[kind]
    database = around.new_database(f"bench_push_{batch}")
    line = {"description": "Labour", "quantity": 1, "account_code": account, "tax_type": tax}
    common = {"contact_id": contact(around), "date": ISSUED, "due_date": DUE}
    documents = [
        {"number": f"M-{nth:05}", "lines": [{**line, "unit_amount": nth}], **common} for nth in range(1, HOW_MANY + 1)
    ]
    file = around.home / "documents.json"
    file.write_text(json.dumps(documents))
    environment = spending.clean_environment() | {"NO_PROXY": "127.0.0.1", "XERO_URL": around.xero, "TYPE": type_}
    environment |= {"CLIENT_ID": CLIENT[0], "CLIENT_SECRET": CLIENT[1], "TENANT_ID": around.tenant}
    environment |= {"DATABASE_URL": database, "STATE": str(around.home), "INVOICES": str(file), "BATCH": str(batch)}
    command = [environments.python("xero_python"), folder / "push.py"]
    return Pusher(name, around, kind, command, environment, around.home / f"push_{batch}.log")


MAKERS: tuple[Callable[[Surroundings, str], Pusher], ...] = (
    ours,
    lambda around, kind: sdk(around, kind, 1),
    lambda around, kind: sdk(around, kind, 50),
)


def fresh(around: Surroundings, make: Callable[[Surroundings, str], Pusher], kind: str) -> Pusher:
    around.steer("POST", "reset", {})
    around.steer("PATCH", "settings", {"limits": False})
    pusher = make(around, kind)
    around.steer("DELETE", "calls")
    return pusher


def full_push(around: Surroundings, make: Callable[[Surroundings, str], Pusher]) -> tuple[str, float, float, int]:
    """Returns name, seconds, CPU seconds and calls of a push of 1,000 invoices; checks that each exists once."""
    pusher = fresh(around, make, "invoices")
    cost = pusher.run()
    there = pusher.in_xero()
    if cost.code or len(there) != HOW_MANY or set(there.values()) != {1}:
        raise RuntimeError(f"{pusher.name}: {len(there)} of {HOW_MANY}\n{pusher.log.read_text()[-4000:]}")
    return pusher.name, cost.wall, cost.cpu, pusher.calls()


def killed(
    around: Surroundings, make: Callable[[Surroundings, str], Pusher], kind: str, at: int
) -> tuple[str, int, int]:
    """Kills the push while Xero processes request number `at`, then runs it until it succeeds.

    Returns name, how many of the thousand exist in Xero, and how many of those more than once.
    """
    pusher = fresh(around, make, kind)
    around.steer("PATCH", "settings", {"latency_ms": [200, 200]})

    def writing() -> bool:
        calls = around.steer("GET", "calls")
        return sum(call["method"] != "GET" and call["path"].endswith("/Invoices") for call in calls) >= at

    if not pusher.run(kill_when=writing).killed:
        raise RuntimeError(f"{pusher.name} ended before it was killed\n{pusher.log.read_text()[-2000:]}")
    around.steer("PATCH", "settings", {"latency_ms": [0, 0]})
    for pause in AGAIN_AFTER:
        time.sleep(pause)
        if pusher.run().code == 0:
            break
    there = pusher.in_xero()
    return pusher.name, len(there), sum(times > 1 for times in there.values())


def text(wholes: dict[str, list[tuple[float, float, int]]], kills: list[tuple[str, str, int, int]]) -> str:
    middle = {name: [statistics.median(values) for values in zip(*runs, strict=True)] for name, runs in wholes.items()}
    least = middle["this project"]

    def rows() -> Iterator[tuple[object, ...]]:
        for name, (wall, cpu, calls) in middle.items():
            yield name, f"{wall:.1f}", f"{cpu:.1f}", f"{calls:.0f}", f"{least[2] / calls:.3f}"

    one_by_one = middle["xero-python, one by one"][2]
    ratio, ours = least[2] / one_by_one, [row for row in kills if row[0] == "this project"]
    once = bool(ours) and all(row[2] == HOW_MANY and not row[3] for row in ours)
    twice = sum(row[3] for row in ours)
    goals = (
        ("calls / those of one by one", "at most 0.05", f"{ratio:.3f}", "met" if ratio <= 0.05 else "**not met**"),
        ("documents that stand twice after a kill, and all are there", "0", twice, "met" if once else "**not met**"),
    )
    return "\n".join([
        f"# {(__doc__ or '').splitlines()[0]}",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores. The local Xero"
        " answers at once and its limits are off; at Xero's 60 calls a minute, 1,000 calls take a quarter of an hour."
        " This project reads from QicWorks' tables, the loops from a file."
        f" Medians of {len(next(iter(wholes.values())))} runs; CPU is the program's, start included.",
        "",
        *table(("", "wall s", "CPU s", "calls", "this project's calls / its"), rows()),
        "",
        "Killed (signal 9) while Xero works on a request, then run again until a run ends well, four times at most"
        " within three minutes:",
        "",
        *table(("", "documents", "of 1,000 in Xero", "more than once"), iter(kills)),
        "",
        *table(("goal", "", "", ""), iter(goals)),
        "",
    ])  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pushing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help=f"write benchmarks/results/{RESULT.name}")
    given = parser.parse_args(arguments)
    wholes: dict[str, list[tuple[float, float, int]]] = {}
    kills: list[tuple[str, str, int, int]] = []
    with surroundings(PORT) as around:
        for _ in range(given.rounds):
            for make in MAKERS:
                name, *figures = full_push(around, make)
                wholes.setdefault(name, []).append((figures[0], figures[1], figures[2]))
                print(name, figures, flush=True)
        for kind in KINDS:
            for make in MAKERS:
                name, there, twice = killed(around, make, kind, at=10)
                kills.append((name, kind, there, twice))
                print(kind, name, there, twice, flush=True)
    report = text(wholes, kills)
    print(report)
    if given.write:
        RESULT.write_text(report)


if __name__ == "__main__":
    sys.exit(main())
