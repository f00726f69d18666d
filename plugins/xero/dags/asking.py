"""The settings of a run: refused if they mean nothing, and whether they name exactly what to do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn
from uuid import UUID

from airflow.sdk.exceptions import AirflowFailException

NAMES = ("connection", "document_ids", "full_refresh")  # the settings that name exactly what to do
CORRECT = "Correct the settings of the run, and trigger it again."
OVERRIDE = "Set [core] dag_run_conf_overrides_params to True in Airflow's configuration, and trigger the run again."

Pair = tuple[str, str]  # direction and data set of the run's events


def asked(context: Any, pair: Pair | None = None) -> Mapping[str, Any]:
    """Returns the settings of the run. Refuses unknown ones: a misspelt setting would do something else."""
    params, given = context["params"], context["dag_run"].conf or {}
    known = set(context["dag"].params)
    if unknown := sorted(set(given) - known):
        settings = ", ".join(sorted(known)) or "none"
        names = ", ".join(map(repr, unknown))
        refuse(context, pair, f"there is no setting {names}. The settings are: {settings}", CORRECT)
    if lost := [name for name, value in given.items() if params[name] != value]:
        names = ", ".join(map(repr, sorted(lost)))
        refuse(context, pair, f"Airflow did not pass on the setting {names}", OVERRIDE)
    return dict(params)


def by_name(context: Any) -> bool:
    return any(context["params"].get(name) not in (None, False) for name in NAMES)


@contextmanager
def refusing(context: Any, pair: Pair) -> Iterator[None]:
    """Turns a name that matches nothing, or several things, into a failure of the task without a retry."""
    from xero.api.errors import XeroError
    from xero.sync.runs.requested import EmptyName

    try:
        yield
    except XeroError:
        raise  # not about a name, and it has its own message
    except LookupError as error:
        how = ("refused", "misconfigured") if isinstance(error, EmptyName) else ("unknown", "unknown")
        refuse(context, pair, error.args[0], CORRECT, *how)


def refuse(
    context: Any,
    pair: Pair | None,
    says: str,
    correction: str,
    answer: str = "refused",
    outcome: str = "misconfigured",
    connection_id: str | None = None,
) -> NoReturn:
    """Ends the task, with an event where there is a `pair`, and the XCom `asked`.

    Args:
        answer: An Answer, for what was asked for.
        outcome: An EventOutcome.
        connection_id: Whose event it is, where that is known.
    """
    from xero.hooks import qicworks_engine
    from xero.qicworks import database
    from xero.qicworks.runs import events
    from xero.qicworks.runs.outcome import Direction, EventOutcome, Status

    if pair:
        name = context["params"].get("connection") or context["dag"].dag_id
        context["ti"].xcom_push("asked", [{"name": str(name), "id": connection_id, "answer": answer}])
        with database.session(qicworks_engine()) as session:
            direction, data_set = pair
            how = Direction(direction), data_set, Status.ERROR, EventOutcome(outcome)
            whose = UUID(connection_id) if connection_id else None
            events.record(session, whose, *how, says, origin(context), correction=correction)
    raise AirflowFailException(f"Nothing was done: {says}. {correction}")


def origin(context: Any) -> Any:
    """What started the run, for its connection event."""
    from xero.qicworks.runs.events import Origin

    ti = context["ti"]
    return Origin(
        dag_id=ti.dag_id,
        run_id=ti.run_id,
        task_id=ti.task_id,
        map_index=ti.map_index,
        try_number=ti.try_number,
        manual=context["dag_run"].run_type == "manual",
        by_name=by_name(context),
        log_url=ti.log_url,
    )
