"""What a run was asked for: its settings, refused where they mean nothing, and whether somebody meant just this."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

NAMES = ("connection", "document_ids", "full_refresh")  # the settings by which somebody asks for just this


def asked(context: Any) -> Mapping[str, Any]:
    """What the run was asked for. A setting that there is not is refused: misspelt, it would do something else."""
    params, said = context["params"], context["dag_run"].conf or {}
    known = set(context["dag"].params)
    if unknown := sorted(set(said) - known):
        settings = ", ".join(sorted(known)) or "none"
        raise AirflowFailException(
            f"Nothing was done: there is no setting {', '.join(map(repr, unknown))}. Those that there are: {settings}."
        )
    return dict(params)


def by_name(context: Any) -> bool:
    return any(context["params"].get(name) not in (None, False) for name in NAMES)


@contextmanager
def refusing() -> Iterator[None]:
    """Turns a name that names nothing, or too much, into an end of the task that no retry follows."""
    try:
        yield
    except LookupError as error:
        raise AirflowFailException(f"Nothing was done: {error.args[0]}.") from None
