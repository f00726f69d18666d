"""Messages to people: one for a run that failed, one for a run that is late; by Airflow's own notifiers.

Nobody is told until `[xero]` in Airflow's configuration says who: `alert_email` (addresses, separated by commas; over
the Airflow connection `alert_email_conn_id`, else `smtp_default`), `alert_slack_conn_id` (an Airflow connection of type
Slack Incoming Webhook), `alert_deadline_minutes` (when a run that is not done is late; else never). While a DAG file is
parsed only the configuration is read.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from xero import settings
from xero.dags import extras

if TYPE_CHECKING:
    from xero.dags.telling import Message
    from xero.qicworks.views.dag_runs import End

log = logging.getLogger(__name__)

LATEST = 366 * 24 * 60  # minutes

# What is shown is looked up when the template is rendered: a message's own words are never taken for a template.
SHOWN = {"subject": "{{ alert.subject }}", "html": "{{ alert.html }}", "slack": "{{ alert.slack }}"}


def callbacks() -> dict[str, Any]:
    """What each DAG is made with. Empty where nobody is to be told."""
    extras.warn_of_missing()
    if not notifiers():
        return {}
    told: dict[str, Any] = {"on_failure_callback": tell_failed}
    if minutes := deadline_minutes():
        # By the triggerer, not a worker: a run is late where no worker is there, too.
        told["deadline"] = DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(minutes=minutes),
            callback=AsyncCallback(tell_late),
        )
    return told


def deadline_minutes() -> float:
    """0: no run is late. Over LATEST it is that, too: a run's deadline must be a time that there is."""
    minutes = settings.number("alert_deadline_minutes", 0.0, instead="no run is told as late")
    if minutes > LATEST:
        log.warning("[xero] alert_deadline_minutes = %g is over %d, a year: no run is told as late", minutes, LATEST)
        return 0.0
    return minutes


def notifiers() -> list[Callable[[], Any]]:
    """Makers of Airflow's notifiers, one for each way that is configured."""
    ways: list[Callable[[], Any]] = []
    if addresses := [one.strip() for one in settings.text("alert_email").split(",") if one.strip()]:
        ways.append(lambda: by_email(addresses))
    if slack := settings.text("alert_slack_conn_id"):
        ways.append(lambda: by_slack(slack))
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
    """The failure callback of a DAG; Airflow calls it once a run, in the DAG processor."""
    from xero.dags.telling import failed

    dag_id, run_id = context["dag"].dag_id, context["run_id"]
    run = context.get("dag_run")
    ends, gap = how_it_ended(dag_id, run_id, run.run_after if run else None)
    send(failed(dag_id, run_id, ends, gap or f"Airflow says: {context.get('reason')}."))


async def tell_late(context: Mapping[str, Any]) -> None:
    """The callback of a missed deadline; Airflow awaits it in the triggerer, whose other work must not wait."""
    await asyncio.to_thread(_tell_late, context["dag_run"])


def _tell_late(run: Mapping[str, Any]) -> None:
    from xero.dags.telling import late
    from xero.qicworks.views import dag_runs

    dag_id, run_id, queued_at = run["dag_id"], run["dag_run_id"], run["queued_at"]
    if run["state"] in dag_runs.ENDED:  # Airflow keeps the deadline of a run that failed: that was told already
        log.info("%s, run %s, is not late: it has ended", dag_id, run_id)
        return
    ends, gap = how_it_ended(dag_id, run_id, datetime.fromisoformat(queued_at))
    send(late(dag_id, run_id, f"{queued_at:.19}", deadline_minutes(), ends, gap))


def how_it_ended(dag_id: str, run_id: str, since: datetime | None) -> "tuple[list[End], str]":
    """What the events tell, and why they tell nothing: an alert goes out when the database is gone, too."""
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
        log.warning("the alert goes without the events of the run: %s", type(error).__name__)
        return [], f"QicWorks' database, which has the events, could not be asked ({type(error).__name__})."


def send(message: "Message") -> None:
    """By each way that is configured; one that fails does not silence the others. Raises what failed, at the end."""
    troubles = []
    for make in notifiers():
        try:
            make()({"alert": message})
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised when all others were told
            troubles.append(error)
    if troubles:
        raise ExceptionGroup("an alert could not be sent", troubles)
    log.info("alerted: %s", message.subject)
