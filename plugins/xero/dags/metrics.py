"""Numbers for whoever watches from outside, through Airflow's own metrics (StatsD, Datadog, OpenTelemetry).

Counters as each interaction ends, gauges by the DAG `measure`. Tags are `direction`, `data_set` and `status`, never the
organisation: there may be thousands, each a time series of its own. Whose it is say the pages and the events. Plain
StatsD has no tags: there their values follow the name. Where Airflow sends no metrics all of it does nothing.
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
    """Whether Airflow's configuration says where metrics go."""
    return any(
        conf.getboolean("metrics", on, fallback=False) for on in ("statsd_on", "statsd_datadog_enabled", "otel_on")
    )


def has_tags() -> bool:
    """Whether tags arrive there, in the order in which Airflow chooses who is told."""
    if conf.getboolean("metrics", "statsd_datadog_enabled", fallback=False):
        return conf.getboolean("metrics", "statsd_datadog_metrics_tags", fallback=True)
    if conf.getboolean("metrics", "statsd_on", fallback=False):
        return conf.getboolean("metrics", "statsd_influxdb_enabled", fallback=False)
    return True


def named(name: str, tags: dict[str, str]) -> dict[str, Any]:
    """What Airflow's metrics are called with: no two time series may share a name where there are no tags."""
    if has_tags():
        return {"stat": f"xero.{name}", "tags": tags or None}
    return {"stat": ".".join(["xero", name, *tags.values()])}


def counted(direction: str, data_set: str, work: Callable[P, Result]) -> Callable[P, Result]:
    """The same work, of one organisation; what came of it is counted. Of a failure only that it was one: its calls and
    bytes are in its event."""
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
        if "status" in result:  # a dry run is no interaction
            ended(direction, data_set, result["status"], result)
        return result

    return counting


def ended(direction: str, data_set: str, status: str, counts: Mapping[str, Any]) -> None:
    """`xero.interactions`, and `xero.<count>` for each of the event's counts that is not nothing."""
    from xero.qicworks.runs.events import Counts

    tags = {"direction": direction, "data_set": data_set, "status": status}
    Stats.incr(**named("interactions", tags))
    for count in fields(Counts):
        if number := counts.get(count.name, 0):
            Stats.incr(count=number, **named(count.name, tags))


def gauge(measured: Mapping[str, Mapping[str, float]]) -> None:
    """`xero.<name>` for each; by data set, or, under "", as a whole."""
    for name, values in measured.items():
        for data_set, value in values.items():
            Stats.gauge(value=value, **named(name, {"data_set": data_set} if data_set else {}))
