"""Metrics through Airflow's own (StatsD, Datadog, OpenTelemetry).

Counters as each run of an organisation ends, gauges by the DAG `measure`. Tags are `direction`, `data_set` and
`status`, never the organisation: there may be thousands, each a separate time series. The pages and the events have
the organisation. Plain StatsD has no tags: there their values follow the name. If Airflow sends no metrics, all of it
does nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import wraps
from typing import Any, ParamSpec

from airflow.configuration import conf
from airflow.sdk.observability.stats import Stats

P = ParamSpec("P")
Result = dict[str, Any]


def wanted() -> bool:
    """Whether Airflow is configured to send metrics."""
    return any(
        conf.getboolean("metrics", on, fallback=False) for on in ("statsd_on", "statsd_datadog_enabled", "otel_on")
    )


def has_tags() -> bool:
    """Whether tags arrive, in the order in which Airflow chooses the backend."""
    if conf.getboolean("metrics", "statsd_datadog_enabled", fallback=False):
        return conf.getboolean("metrics", "statsd_datadog_metrics_tags", fallback=True)
    if conf.getboolean("metrics", "statsd_on", fallback=False):
        return conf.getboolean("metrics", "statsd_influxdb_enabled", fallback=False)
    return True


def named(name: str, tags: dict[str, str]) -> dict[str, Any]:
    """The arguments for Airflow's metrics. Without tags no two time series may share a name."""
    if has_tags():
        return {"stat": f"xero.{name}", "tags": tags or None}
    return {"stat": ".".join(["xero", name, *tags.values()])}


def counted(direction: str, data_set: str, work: Callable[P, Result]) -> Callable[P, Result]:
    """The same work for one organisation, with its result counted.

    Of a failure only its status: its calls and bytes are in its event.
    """
    from xero.sync.runs.outcome import Skip

    @wraps(work)
    def counting(*args: P.args, **kwargs: P.kwargs) -> Result:
        try:
            result = work(*args, **kwargs)
        except Skip:
            ended(direction, data_set, "skipped", {})
            raise
        except BaseException:
            ended(direction, data_set, "error", {})
            raise
        if "status" in result:  # a dry run is not counted
            ended(direction, data_set, result["status"], result)
        return result

    return counting


def ended(direction: str, data_set: str, status: str, counts: Mapping[str, Any]) -> None:
    """`xero.interactions`, and `xero.<count>` for each count of the event that is not 0."""
    from xero.qicworks.runs.events import Counts

    tags = {"direction": direction, "data_set": data_set, "status": status}
    Stats.incr(**named("interactions", tags))
    for count in fields(Counts):
        if number := counts.get(count.name, 0):
            Stats.incr(count=number, **named(count.name, tags))


def gauge(measured: Mapping[str, Mapping[str, float]]) -> None:
    """`xero.<name>` for each, by data set; under "" the total."""
    for name, values in measured.items():
        for data_set, value in values.items():
            Stats.gauge(value=value, **named(name, {"data_set": data_set} if data_set else {}))
