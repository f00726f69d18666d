"""`tie-out`: whether what QicWorks pushed in a period is in Xero, document by document."""

import argparse
import logging
from collections.abc import Iterable
from pathlib import Path

from rich.table import Table
from sqlalchemy import Engine

from xero.cli.terminal import FORESEEN, app_of, complain, out, say_failed, say_who, show
from xero.composition import opener
from xero.qicworks.runs.events import Origin
from xero.sync.follow.tie_out import Period, TieOut, tie_out
from xero.sync.follow.tie_out.export import COLUMNS, line, rows
from xero.sync.follow.tie_out.result import KindResult, Sums
from xero.sync.follow.tie_out.summary import lines
from xero.sync.runs.participants import select_connections

log = logging.getLogger(__name__)


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--period", metavar="PERIOD", help="a month (2026-11) or days (2026-11-01..2026-11-15); default: this month"
    )
    command.add_argument("--connection", metavar="NAME", help="only this QicWorks organisation")
    command.add_argument("--csv", metavar="FILE", help="also write a row for each document, and for each difference")
    command.add_argument(
        "--heal", action="store_true", help="push or pull again what a difference allows without a person"
    )
    command.set_defaults(run=run_tie_out)


def run_tie_out(engine: Engine, options: argparse.Namespace) -> int:
    """Exit code 0 only if everything was checked, and is equal."""
    period = Period.parse(options.period) if options.period is not None else None
    file = Path(options.csv) if options.csv is not None else None
    if file is not None and (reason := _why_not_writable(file)):
        complain(f"error: {file} cannot be written: {reason}. Nothing was tied out.")
        return 1
    taken, left_out = select_connections(engine, None, options.connection)
    say_who(taken, left_out)
    failed = (not taken) + sum(reason.must_reconnect for reason in left_out)
    open_client = opener(engine, app_of)
    done: list[TieOut] = []
    for one in taken:
        try:
            result = tie_out(
                one["connection_id"],
                period,
                engine=engine,
                open_client=open_client,
                origin=Origin(),
                heal=options.heal,
            )
        except FORESEEN as error:
            failed += 1
            say_failed(one["organisation"], error)
            continue
        except Exception as error:
            failed += 1
            log.debug("%s", one["organisation"], exc_info=True)
            say_failed(one["organisation"], error)
            continue
        _print(result)
        done.append(result)
    if file is not None:
        try:
            _write(file, done)
        except OSError as error:
            failed += 1
            complain(f"error: {file} could not be written: {error.strerror}")
    return 0 if all(one.is_green for one in done) and not failed else 1


def _print(tied: TieOut) -> None:
    verdict = "equal" if tied.is_green else "not equal"
    out.print(f"{tied.organisation}, {tied.period}: {verdict}; {tied.calls} calls")
    table = Table(
        "documents", "in QicWorks", "sum", "in Xero", "sum", "paid in QicWorks", "paid in Xero", "equal", "not"
    )
    for one in tied.kinds:
        if one.states:
            table.add_row(*_columns(one))
    show(table, "nothing was pushed, or waits to be")
    for sentence in lines(tied):
        out.print(f"  {sentence}")
    for healed in tied.healed:
        out.print(f"  {healed.label}: {healed.act}: {healed.says}")
    if tied.not_part:
        out.print(f"  not part of the tie-out yet: {', '.join(tied.not_part)}")


def _columns(one: KindResult) -> Iterable[str]:
    ours, theirs = str(one.in_qicworks), str(one.in_xero)
    paid = _money(one.our_paid), _money(one.their_paid)
    return (
        one.kind.title,
        ours,
        _money(one.our_sums),
        theirs,
        _money(one.their_sums),
        *paid,
        str(one.equal),
        str(one.unequal),
    )


def _money(sums: Sums) -> str:
    return ", ".join(f"{amount:,.2f} {currency}".strip() for currency, amount in sorted(sums.items())) or "–"


def _why_not_writable(file: Path) -> str | None:
    """What a file that exists has in it stays."""
    try:
        file.open("a").close()
    except OSError as error:
        return error.strerror or type(error).__name__
    return None


def _write(file: Path, done: list[TieOut]) -> None:
    """What was tied out; organisations that failed are not in it, and the exit code says so."""
    with file.open("w", encoding="utf-8-sig", newline="") as written:
        written.write(line(COLUMNS))
        for tied in done:
            written.writelines(line(row) for row in rows(tied))
    complain(f"{file} has {sum(len(one.documents) for one in done)} documents of {len(done)} organisations")
