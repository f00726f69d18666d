"""Alerts by Airflow's own notifiers: of runs that failed or are late, and once of each thing that is open.

What is open of an organisation goes to the addresses in its settings, if there are any. Else none is sent until
`[xero]` in Airflow's configuration has a recipient: `alert_email` (addresses, separated by commas;
over the Airflow connection `alert_email_conn_id`, else `smtp_default`), `alert_slack_conn_id` (an Airflow connection
of type Slack Incoming Webhook). `alert_deadline_minutes` is when a run that has not ended is late; else none is. While
a DAG file is parsed only the configuration is read.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from xero import settings
from xero.dags import extras

if TYPE_CHECKING:
    from xero.dags.alert_text import Message
    from xero.qicworks.database import Session
    from xero.qicworks.views.dag_runs import End

log = logging.getLogger(__name__)

MAX_DEADLINE_MINUTES = 366 * 24 * 60

# The texts are looked up when the template is rendered, so no part of a message is taken for a template.
SHOWN = {"subject": "{{ alert.subject }}", "html": "{{ alert.html }}", "slack": "{{ alert.slack }}"}


def callbacks() -> dict[str, Any]:
    """What each DAG is made with. Empty if no alerts are configured."""
    extras.warn_of_missing()
    if not notifiers():
        return {}
    arguments: dict[str, Any] = {"on_failure_callback": tell_failed}
    if minutes := deadline_minutes():
        # By the triggerer, not a worker: a run is also late if there is no worker.
        arguments["deadline"] = DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(minutes=minutes),
            callback=AsyncCallback(tell_late),
        )
    return arguments


def deadline_minutes() -> float:
    """0: no run is late. Over LATEST it is that, too: a run's deadline must be a time that there is."""
    minutes = settings.number("alert_deadline_minutes", 0.0, instead="late runs are not reported")
    if minutes > MAX_DEADLINE_MINUTES:
        log.warning(
            "[xero] alert_deadline_minutes = %g is over %d, a year: late runs are not reported",
            minutes,
            MAX_DEADLINE_MINUTES,
        )
        return 0.0
    return minutes


def notifiers() -> dict[str, Callable[[], Any]]:
    """Factories of Airflow's notifiers, by the name of each channel that is configured."""
    ways: dict[str, Callable[[], Any]] = {}
    if addresses := [one.strip() for one in settings.text("alert_email").split(",") if one.strip()]:
        ways["email"] = lambda: by_email(addresses)
    if slack := settings.text("alert_slack_conn_id"):
        ways["slack"] = lambda: by_slack(slack)
    return ways


def by_email(addresses: list[str]) -> Any:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    conn_id = settings.text("alert_email_conn_id") or "smtp_default"
    return SmtpNotifier(to=addresses, subject=SHOWN["subject"], html_content=SHOWN["html"], smtp_conn_id=conn_id)


def by_slack(conn_id: str) -> Any:
    if not extras.is_installed(extras.SLACK):
        raise ModuleNotFoundError(extras.need("[xero] alert_slack_conn_id", extras.SLACK, "slack"))
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

    return SlackWebhookNotifier(slack_webhook_conn_id=conn_id, text=SHOWN["slack"], unfurl_links=False)


def tell_failed(context: Mapping[str, Any]) -> None:
    """The failure callback of a DAG. Airflow calls it once for each run, in the DAG processor."""
    from xero.dags.alert_text import failed, reported_lost

    dag_id, run_id = context["dag"].dag_id, context["run_id"]
    run = context.get("dag_run")
    ends, gap = how_it_ended(dag_id, run_id, run.run_after if run else None)
    send(failed(dag_id, run_id, ends, gap or f"Airflow's reason: {context.get('reason')}."))
    if lost := reported_lost(ends):
        _mark_lost(lost)


def _mark_lost(connection_ids: "Sequence[UUID]") -> None:
    """That these need to be reconnected was reported with the run that failed by it."""
    from xero.hooks import qicworks_engine
    from xero.qicworks import database
    from xero.qicworks.follow import alerts
    from xero.sync.follow.alerts import find_new

    with database.session(qicworks_engine()) as session:
        for id in connection_ids:
            for alert in find_new(session, id, notifiers()):
                if alert.subject is alerts.Subject.CONNECTION:
                    for channel in alert.channels:
                        alerts.mark(session, id, [alert], channel)


async def tell_late(context: Mapping[str, Any]) -> None:
    """The callback of a missed deadline. Airflow awaits it in the triggerer, whose other work must not wait."""
    await asyncio.to_thread(_tell_late, context["dag_run"])


def _tell_late(run: Mapping[str, Any]) -> None:
    from xero.dags.alert_text import late
    from xero.qicworks.views import dag_runs

    dag_id, run_id, queued_at = run["dag_id"], run["dag_run_id"], run["queued_at"]
    if run["state"] in dag_runs.ENDED:  # Airflow keeps the deadline of a run that failed: reported already
        log.info("%s, run %s, is not late: it has ended", dag_id, run_id)
        return
    ends, gap = how_it_ended(dag_id, run_id, datetime.fromisoformat(queued_at))
    send(late(dag_id, run_id, f"{queued_at:.19}", deadline_minutes(), ends, gap))


def how_it_ended(dag_id: str, run_id: str, since: datetime | None) -> "tuple[list[End], str]":
    """Returns the events of the run, or why they could not be read: an alert is sent even if the database is down."""
    import psycopg
    from sqlalchemy.exc import SQLAlchemyError

    from xero.api.errors import Misconfigured
    from xero.hooks import qicworks_engine
    from xero.qicworks import database
    from xero.qicworks.views import dag_runs

    try:
        with database.session(qicworks_engine()) as session:
            return dag_runs.ends(session, dag_id, run_id, since or datetime.now(UTC) - timedelta(days=2)), ""
    except (SQLAlchemyError, psycopg.Error, Misconfigured) as error:
        log.warning("the alert is sent without the events of the run: %s", type(error).__name__)
        return [], f"The events could not be read: the QicWorks database is not available ({type(error).__name__})."


def send(message: "Message") -> None:
    """Sends it by each channel that is configured, then raises the errors of those that failed."""
    errors, channels = [], notifiers()
    for make in channels.values():
        try:
            make()({"alert": message})
        except Exception as error:  # noqa: BLE001 - raised after the other channels
            errors.append(error)
    if errors:
        raise ExceptionGroup("an alert could not be sent", errors)
    if channels:
        log.info("alerted: %s", message.subject)
    else:
        log.info("no alert is configured in [xero], so this was sent to no one: %s", message.subject)


class AlertsOnce:
    """Sends what is newly open of organisations: a message for each, and never the same thing and reason twice.

    A channel that fails is not tried again by this task; what it should have sent is logged, and the next run sends it.
    Nothing here fails the task. A process that is killed between sending and noting it may cause one repetition.
    """

    def __init__(self, context: Any) -> None:
        """Without a channel nothing is sent and nothing is noted; neither is by a dry run."""
        self.is_dry = bool(context["params"].get("dry_run"))
        self.channels = {} if self.is_dry else notifiers()

    def send(self, organisations: Sequence[tuple[str, str]], *, failed: bool = False) -> None:
        """Takes connection ids and organisations' names.

        Args:
            failed: The run fails, and its own alert reports those that need to be reconnected (`tell_failed`).
        """
        from xero.hooks import qicworks_engine
        from xero.qicworks import database

        if self.is_dry or not organisations:
            return
        try:
            with database.session(qicworks_engine()) as session:
                for connection_id, organisation in organisations:
                    self._send(session, UUID(connection_id), organisation, failed)
        except Exception as error:  # noqa: BLE001 - an alert never fails a pull or a push
            names = ", ".join(organisation for _, organisation in organisations)
            log.error("the alerts of %s wait for the next run: %s", names, type(error).__name__)

    def _send(self, session: "Session", connection_id: UUID, organisation: str, failed: bool) -> None:
        from xero.dags.alert_text import organisation as message_of
        from xero.qicworks.connect import settings
        from xero.qicworks.follow import alerts
        from xero.sync.follow.alerts import find_new

        addresses = settings.read(session, connection_id).alerts
        own = {"email": lambda: by_email(addresses)} if addresses else {}
        channels = {**self.channels, **own}

        def find() -> list[alerts.Alert]:
            found = find_new(session, connection_id, channels)
            return [alert for alert in found if not (failed and alert.subject is alerts.Subject.CONNECTION)]

        if not channels or not find():
            return
        with alerts.sending(session, connection_id):
            found = find()
            for channel, make in channels.items():
                unsent = [alert for alert in found if channel in alert.channels]
                if not unsent:
                    continue
                message = message_of(connection_id, organisation, unsent)
                is_sent = self._is_sent(channel, make, message, is_own=channel in own)
                if is_sent or (channel in own and self._is_sent_apart(session, connection_id, addresses, message)):
                    alerts.mark(session, connection_id, unsent, channel)

    def _is_sent(self, channel: str, make: Callable[[], Any], message: "Message", *, is_own: bool) -> bool:
        """`is_own`: to the addresses of one organisation, which say nothing of the others'."""
        if error := _try(make, message):
            if not is_own:
                del self.channels[channel]
            what = "\n".join((message.subject, *message.lines))
            log.error("not sent by %s (%s); the next run tries again: %s", channel, error, what)
            return False
        log.info("alerted by %s: %s", channel, message.subject)
        return True

    def _is_sent_apart(
        self, session: "Session", connection_id: UUID, addresses: "Sequence[str]", message: "Message"
    ) -> bool:
        """After one message to all addresses of an organisation failed: one to each, and if none arrives, to whom
        `[xero]` names. Writes an event."""
        from xero.qicworks.runs import events
        from xero.qicworks.runs.events import Origin
        from xero.qicworks.runs.outcome import Direction, EventOutcome, Status

        failed = [one for one in addresses if _try(lambda one=one: by_email([one]), message)]  # type: ignore[misc]
        is_sent = len(failed) < len(addresses)
        said = f"an alert could not be sent to {len(failed)} of the {len(addresses)} email addresses in the settings"
        if not is_sent and "email" in self.channels:
            is_sent = self._is_sent("email", self.channels["email"], message, is_own=False)
            said += "; it was sent to the addresses in Airflow's configuration" if is_sent else ""
        if failed:
            about = Direction.CONNECT, "connection", Status.WARNING, EventOutcome.PARTLY_DONE
            correct = (
                "Check Alerts by email under Xero › Connections › Settings. If they are right, check the mail server."
            )
            events.record(session, connection_id, *about, said, Origin(), correction=correct)
        return is_sent


def _try(make: Callable[[], Any], message: "Message") -> str:
    """Sends it. Returns the kind of error, if any."""
    try:
        make()({"alert": message})
    except Exception as error:  # noqa: BLE001 - it is sent by the next run
        return type(error).__name__
    return ""
