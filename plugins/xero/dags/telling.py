"""What an alert says: which run, which organisations, what to do. No pay, no leave, no more than fits a message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from airflow.configuration import conf

from xero import dag_ids
from xero.qicworks.texts import fit, on_a_line
from xero.qicworks.views.dag_runs import End
from xero.qicworks.views.status import NeedsAttention

FEW = 10  # of one kind, in a digest
MOST = 20  # organisations in one message
LONGEST = 600  # characters of one of them, as they are written
LONGEST_ESCAPED = 1500  # the same in Slack's markup, which keeps 40,000 characters of a message


@dataclass(frozen=True)
class Message:
    """One message, for an e-mail and for Slack. `lines` are one organisation each."""

    subject: str
    said: str
    lines: tuple[str, ...]
    link: str

    @property
    def html(self) -> str:
        items = "".join(f"<li>{escape(line)}</li>" for line in self.lines)
        address = escape(self.link)
        return (
            f"<p>{escape(self.said)}</p>"
            + (f"<ul>{items}</ul>" if items else "")
            + f'<p>Look here: <a href="{address}">{address}</a></p>'
        )

    @property
    def slack(self) -> str:
        """In Slack's markup, in which only these three signs mean something."""
        told = [fit(escape(text, quote=False), LONGEST_ESCAPED) for text in (self.subject, self.said, *self.lines)]
        told = [f"*{told[0]}*", told[1], *(f"• {line}" for line in told[2:])]
        return "\n".join([*told, f"<{self.link}|Look here>"])


def failed(dag_id: str, run_id: str, ends: Sequence[End], otherwise: str) -> Message:
    """Of a run that failed. `otherwise` is said when no event tells why."""
    whole = [end for end in ends if end.document is None]
    wrong = [end for end in whole if end.status in ("error", "running")]
    undone = [end for end in ends if end.status in ("error", "warning")]
    if wrong:
        said = f"In the run {run_id} of {dag_id} {len(wrong)} of {len(whole)} organisations failed."
    elif undone:
        said = f"The run {run_id} of {dag_id} has not done all that it was asked for."
    else:
        said = f"The run {run_id} of {dag_id} failed, and no event tells why: look at its red tasks. {otherwise}"
    subject = f"{dag_id} failed" + (f" for {len(wrong)} of {len(whole)} organisations" if wrong else "")
    return Message(subject, said, _lines([_why(end) for end in wrong or undone]), link(dag_id, run_id))


def late(dag_id: str, run_id: str, queued_at: str, minutes: float, ends: Sequence[End], gap: str) -> Message:
    """Of a run that is not done in time."""
    ends = [end for end in ends if end.document is None]
    at_work = [end.organisation or end.data_set for end in ends if end.status == "running"]
    so_far = f"{len(ends) - len(at_work)} organisations are through, {len(at_work)} at work." if ends else ""
    said = f"The run {run_id} of {dag_id}, queued at {queued_at} UTC, is not done after {minutes:g} minutes."
    said = " ".join(filter(None, (said, so_far, gap)))
    return Message(f"{dag_id} is late", said, _lines([f"{name}: at work" for name in at_work]), link(dag_id, run_id))


def digest(needs: NeedsAttention) -> Message:
    """What needs a hand this morning: a line of each kind, by harm."""
    some = [
        ("connected", ["nobody"] if needs.nobody else []),
        ("to be connected again", [one.organisation for one in needs.reconnect]),
        ("all switched off", [one.organisation for one in needs.off]),
        ("documents on their way for over an hour", [_of(row, row["kind"]) for row in needs.stuck]),
        ("failed", [_of(row, f"{row['direction']} {row['data_set']}") for row in needs.failing]),
        ("documents that failed", [_of(row, row["kind"]) for row in needs.documents]),
        ("rows that were rejected", [_of(row, row["data_set"]) for row in needs.rejections]),
        ("overdue", [_of(row, row["data_set"]) for row in needs.overdue]),
    ]
    lines = [f"{what}: {_some(names)}" for what, names in some if names]
    return Message(
        f"QicWorks and Xero: {len(needs)} need a hand",
        "This is what the Overview shows under What needs a hand. It comes every morning, until it is over.",
        tuple(line if len(line) <= LONGEST else line[: LONGEST - 1] + "…" for line in lines),
        f"{_base()}/plugin/xero",
    )


def _of(row: Mapping[str, Any], what: str) -> str:
    return f"{row['organisation']} ({what.replace('_', ' ')})"


def _some(names: Sequence[str]) -> str:
    more = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {more} more" if more > 0 else "")


def _base() -> str:
    """Airflow's own address."""
    return (conf.get("api", "base_url", fallback="") or "http://localhost:8080").rstrip("/")


def link(dag_id: str, run_id: str) -> str:
    """The run in Airflow's UI."""
    return f"{_base()}/{dag_ids.run_path(dag_id, run_id)}"


def _why(end: End) -> str:
    if end.status == "running":
        words = ["its process was killed; the next run goes on where it stopped."]
    elif end.payroll:
        words = ["what went wrong is in the task's log and the event.", end.correction or ""]
    else:
        words = [end.message or "", end.correction or ""]
    return f"{end.organisation or 'no organisation'}, {end.data_set}: {' '.join(filter(None, words))}"


def _lines(lines: list[str]) -> tuple[str, ...]:
    more = len(lines) - MOST
    return (*(fit(on_a_line(line), LONGEST) for line in lines[:MOST]), *([f"and {more} more"] if more > 0 else []))
