"""The text of alerts: which run, which organisations, what to do. No pay, no leave, no more than fits a message."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import zip_longest
from typing import Any
from urllib.parse import quote
from uuid import UUID

from airflow.configuration import conf

from xero import dag_ids
from xero.qicworks.follow.alerts import Alert, Subject
from xero.qicworks.runs.outcome import EventOutcome, Status
from xero.qicworks.texts import fit, on_a_line
from xero.qicworks.views.dag_runs import End
from xero.qicworks.views.status import NeedsAttention

MAX_DIGEST_NAMES = 10  # for each kind of problem
MAX_ORGANISATIONS = 20  # in one message
MAX_ALERTS = 20  # in the message of an organisation
MAX_NAME_LENGTH = 120  # characters of an organisation's name in a subject
MAX_LINE_LENGTH = 600  # characters of one of them, before escaping
MAX_ESCAPED_LINE_LENGTH = 1500  # in Slack's markup, which keeps 40,000 characters of a message


@dataclass(frozen=True)
class Message:
    """One message, for email and for Slack. Each of `lines` is about one organisation, or one thing of it.

    `links`: the pages of the first lines.
    """

    subject: str
    message: str
    lines: tuple[str, ...]
    link: str
    links: tuple[str, ...] = ()

    @property
    def html(self) -> str:
        linked = zip_longest(self.lines, self.links)
        items = "".join(
            f"<li>{escape(line)}" + (f' <a href="{escape(page)}">Open</a>' if page else "") + "</li>"
            for line, page in linked
        )
        address = escape(self.link)
        return (
            f"<p>{escape(self.message)}</p>"
            + (f"<ul>{items}</ul>" if items else "")
            + f'<p>Details: <a href="{address}">{address}</a></p>'
        )

    @property
    def slack(self) -> str:
        """In Slack's markup, in which only &, < and > have to be escaped."""
        lines = [
            fit(escape(text, quote=False), MAX_ESCAPED_LINE_LENGTH)
            for text in (self.subject, self.message, *self.lines)
        ]
        linked = zip_longest(lines[2:], self.links)
        items = (f"• {line}" + (f" <{page}|Open>" if page else "") for line, page in linked)
        lines = [f"*{lines[0]}*", lines[1], *items]
        return "\n".join([*lines, f"<{self.link}|Details>"])


def failed(dag_id: str, run_id: str, ends: Sequence[End], otherwise: str) -> Message:
    """The alert for a run that failed. `otherwise`: the reason, if no event has it."""
    whole = [end for end in ends if end.document is None]
    wrong = _wrong(ends)
    undone = [end for end in ends if end.status in (Status.ERROR, Status.WARNING)]
    if wrong:
        text = f"In the run {run_id} of {dag_id} {len(wrong)} of {len(whole)} organisations failed."
    elif undone:
        text = f"The run {run_id} of {dag_id} did not complete all that was requested."
    else:
        text = f"The run {run_id} of {dag_id} failed without an event. Open its failed tasks. {otherwise}"
    subject = f"{dag_id} failed" + (f" for {len(wrong)} of {len(whole)} organisations" if wrong else "")
    return Message(subject, text, _lines([_why(end) for end in wrong or undone]), link(dag_id, run_id))


def reported_lost(ends: Sequence[End]) -> list[UUID]:
    """The connections of which that alert has a line, because they need to be reconnected."""
    shown = _wrong(ends)[:MAX_ORGANISATIONS]
    return [end.connection_id for end in shown if end.connection_id and end.outcome == EventOutcome.NEEDS_RECONNECT]


def _wrong(ends: Sequence[End]) -> list[End]:
    return [end for end in ends if end.document is None and end.status in (Status.ERROR, Status.RUNNING)]


def late(dag_id: str, run_id: str, queued_at: str, minutes: float, ends: Sequence[End], gap: str) -> Message:
    """The alert for a run that has not ended in time."""
    ends = [end for end in ends if end.document is None]
    running = [end.organisation or end.data_set for end in ends if end.status == Status.RUNNING]
    so_far = f"{len(ends) - len(running)} organisations finished, {len(running)} still running." if ends else ""
    text = f"The run {run_id} of {dag_id}, queued at {queued_at} UTC, has not ended after {minutes:g} minutes."
    text = " ".join(filter(None, (text, so_far, gap)))
    return Message(f"{dag_id} is late", text, _lines([f"{name}: running" for name in running]), link(dag_id, run_id))


def digest(needs: NeedsAttention, missed: Sequence[tuple[str, str, date]] = ()) -> Message:
    """What needs attention this morning: a line for each kind of problem, the most harmful first.

    `missed`: organisation, data set and the pay date on which it was not pulled.
    """
    some = [
        ("no organisation is connected", ["nothing is pulled or pushed"] if needs.none_connected else []),
        ("to be reconnected", [one.organisation for one in needs.reconnect]),
        ("all switched off", [one.organisation for one in needs.off]),
        ("documents sending for more than an hour", [_of(row, row["kind"]) for row in needs.stuck]),
        ("cancellations not sent for more than an hour", [_of(row, row["kind"]) for row in needs.cancellations]),
        ("failed runs", [_of(row, f"{row['direction']} {row['data_set']}") for row in needs.failing]),
        ("failed documents", [_of(row, row["kind"]) for row in needs.documents]),
        ("QicWorks and Xero differ", [_of(row, f"{row['kind']}: {row['open']}") for row in needs.differences]),
        ("records not loaded", [_of(row, row["data_set"]) for row in needs.rejections]),
        ("overdue", [_of(row, row["data_set"]) for row in needs.overdue]),
    ]
    some.append(("pay dates missed", [f"{name} ({data_set} of {day})" for name, data_set, day in missed]))
    lines = [f"{what}: {_some(names)}" for what, names in some if names]
    if needs.acknowledged:
        lines.append(f"open differences that were acknowledged for now: {needs.acknowledged}")
    return Message(
        f"QicWorks and Xero: {len(needs) + len(missed)} need attention",
        "The Overview shows these under Needs attention. This message is sent every morning until all are settled.",
        tuple(line if len(line) <= MAX_LINE_LENGTH else line[: MAX_LINE_LENGTH - 1] + "…" for line in lines),
        f"{_base()}/plugin/xero",
    )


def organisation(connection_id: UUID, name: str, alerts: Sequence[Alert]) -> Message:
    """What is newly open of an organisation: a line and a link for each; equal ones are a line together."""
    counts = Counter((f"{alert.what} {alert.correction}", _page(connection_id, alert)) for alert in alerts)
    shown = list(counts.items())[:MAX_ALERTS]
    lines = [line if count == 1 else f"{count} times: {line}" for (line, _), count in shown]
    more = len(alerts) - sum(count for _, count in shown)
    name = fit(on_a_line(name), MAX_NAME_LENGTH)
    return Message(
        f"{name}: {len(alerts)} to look at in QicWorks or Xero",
        f"This is new in {name}, and is reported once. The Overview shows what needs attention.",
        _lines(lines) + ((f"and {more} more",) if more else ()),
        f"{_base()}/plugin/xero",
        tuple(page for (_, page), _ in shown),
    )


def _page(connection_id: UUID, alert: Alert) -> str:
    """The page of what an alert is about."""
    if alert.document_id:
        path = f"documents/{quote(alert.about, safe='')}/{alert.document_id}"
    elif alert.subject is Subject.REJECTION:
        path = f"rejections?connection={connection_id}"
    else:
        path = f"connections/{connection_id}"
    return f"{_base()}/plugin/xero/xero/{path}"


def _of(row: Mapping[str, Any], what: str) -> str:
    return f"{row['organisation']} ({what.replace('_', ' ')})"


def _some(names: Sequence[str]) -> str:
    more = len(names) - MAX_DIGEST_NAMES
    return ", ".join(names[:MAX_DIGEST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _base() -> str:
    """Airflow's own address."""
    return (conf.get("api", "base_url", fallback="") or "http://localhost:8080").rstrip("/")


def link(dag_id: str, run_id: str) -> str:
    """The run in Airflow's UI."""
    return f"{_base()}/{dag_ids.run_path(dag_id, run_id)}"


def _why(end: End) -> str:
    if end.status == Status.RUNNING:
        words = ["its process was killed; the next run continues where it stopped."]
    elif end.payroll:
        words = ["see the task's log and the event.", end.correction or ""]
    else:
        words = [end.message or "", end.correction or ""]
    return f"{end.organisation or 'no organisation'}, {end.data_set}: {' '.join(filter(None, words))}"


def _lines(lines: list[str]) -> tuple[str, ...]:
    more = len(lines) - MAX_ORGANISATIONS
    shown = [fit(on_a_line(line), MAX_LINE_LENGTH) for line in lines[:MAX_ORGANISATIONS]]
    return (*shown, f"and {more} more") if more > 0 else tuple(shown)
