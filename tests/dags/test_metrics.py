"""What Airflow's metrics are told, as it arrives at a StatsD server that is really there."""

import json
import os
import socket
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.support.differing import EDITED, VOIDED, differ, put_off
from tests.support.pushing import Books
from tests.support.world import World
from xero.dags import measure_dag, metrics
from xero.dags.metrics import counted
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.hooks import qicworks_engine


class Statsd:
    """What arrived, by metric with its tags (as InfluxDB has them)."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(60)
        self.port = self.socket.getsockname()[1]

    def told(self) -> dict[str, float]:
        """Of ours, since it was asked last; counters added up."""
        found: dict[str, float] = {}
        self.socket.sendto(b"the last", self.socket.getsockname())  # what was sent before has come before
        while (packet := self.socket.recv(65_535)) != b"the last":
            name, _, value = packet.decode().partition(":")
            if name.startswith("airflow.xero."):
                number, _, kind = value.partition("|")
                name = name.removeprefix("airflow.xero.")
                found[name] = float(number) + (found.get(name, 0) if kind == "c" else 0)
        return found


@pytest.fixture(params=["True"], ids=["with tags"])
def statsd(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Statsd]:
    """A StatsD server, and an Airflow that is configured to tell it; the parameter: whether with InfluxDB's tags."""
    from airflow.observability.metrics import stats_utils
    from airflow.sdk.observability import stats

    statsd = Statsd()
    for name, value in {
        "STATSD_ON": "True",
        "STATSD_HOST": "127.0.0.1",
        "STATSD_PORT": str(statsd.port),
        "STATSD_INFLUXDB_ENABLED": request.param,
    }.items():
        monkeypatch.setitem(os.environ, f"AIRFLOW__METRICS__{name}", value)
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    yield statsd
    monkeypatch.undo()
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    statsd.socket.close()


def minutes_since_connected(world: World) -> float:
    """By the database's clock, of the organisation that was connected first."""
    [row] = world.query(
        "SELECT max(extract(epoch FROM clock_timestamp() - connected_at) / 60)::float8 AS minutes"
        "  FROM xero_sync.connection WHERE state = 'connected'"
    )
    return float(row["minutes"])


def test_what_the_runs_did_and_how_it_stands(
    dags: dict[str, Any], airflow_database: None, world: World, statsd: Statsd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_XERO_DEFAULT", json.dumps(world.airflow_connection))
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_QICWORKS_DEFAULT", world.database_url)
    qicworks_engine.cache_clear()
    books = Books(world)
    for number in ("INV-1", "INV-2"):
        books.add("invoices", number=number)
    books.add("invoices", number="INV-3", contact_id=None)
    push = {"connection": world.names()[0], "document_ids": None, "dry_run": False}
    assert dags["push_invoices"].test(run_conf=push).state == "success"
    told = statsd.told()
    tags = ",direction=push,data_set=invoices,status=warning"
    event = (
        world.event()
        | world.query("SELECT * FROM xero_sync.connection_event WHERE document IS NULL ORDER BY id DESC LIMIT 1")[0]
    )
    assert told == {
        f"interactions{tags}": 1,
        f"read{tags}": 3,
        f"pushed{tags}": 2,
        f"failed{tags}": 1,
        f"calls{tags}": event["calls"],
        f"bytes_received{tags}": event["bytes_received"],
        f"bytes_unpacked{tags}": event["bytes_unpacked"],
    }

    world.fault(kind="revoked", tenant=world.sandbox.organisations[1]["tenant"], times=None)
    assert dags["pull_tax_codes"].test(run_conf={"connection": world.names()[1]}).state == "failed"
    assert statsd.told() == {"interactions,direction=pull,data_set=tax_codes,status=error": 1}

    world.query(
        "UPDATE xero_sync.call_budget SET day_remaining = 17 WHERE tenant_id = %s",
        world.sandbox.organisations[0]["tenant"],
    )
    world.query("UPDATE xero_sync.connection SET connected_at = connected_at - interval '3 hours'")
    put_off(books, differ(books, "bills", uuid4(), "bill B-1", EDITED, VOIDED)[0].id)
    measure = measure_dag("")
    assert measure.schedule, "somebody listens"
    before = minutes_since_connected(world)
    assert measure.test().state == "success"
    told = statsd.told()
    after = minutes_since_connected(world)
    assert told.pop("calls_left_today") == 17
    assert told.pop("connections_down") == 1
    assert told.pop("requests_open") == 0
    assert told.pop("documents_failed,data_set=invoices") == 1
    for name in DATASETS:
        assert 180 <= before <= told.pop(f"out_of_step_minutes,data_set={name}") <= after
        assert told.pop(f"rejections_open,data_set={name}") == 0
    for name in {*DATASETS, *KINDS}:
        assert told.pop(f"differences_open,data_set={name}") == (2 if name == "bills" else 0)
        assert told.pop(f"differences_acknowledged,data_set={name}") == (1 if name == "bills" else 0)
    for name in KINDS:
        assert told.pop(f"documents_waiting,data_set={name}") == 0
        assert told.pop(f"documents_oldest_minutes,data_set={name}") == 0
        assert told.pop(f"cancellations_waiting,data_set={name}") == 0
        assert told.pop(f"documents_failed,data_set={name}", 0) == 0
    assert told == {}
    counted("push", "invoices", lambda: {"requests": 1, "documents": 50})()
    assert statsd.told() == {}, "a dry run sends nothing to Xero"
    qicworks_engine.cache_clear()


@pytest.mark.parametrize("statsd", ["False"], ids=["plain"], indirect=True)
def test_without_tags_each_data_set_has_names_of_its_own(airflow_database: None, statsd: Statsd) -> None:
    metrics.gauge({"rejections_open": {"staff": 3, "contacts": 5}, "connections_down": {"": 1}})
    counted("push", "bills", lambda: {"status": "warning", "failed": 2})()
    counted("pull", "bills", lambda: {"status": "success", "read": 7})()
    assert statsd.told() == {
        "rejections_open.staff": 3,
        "rejections_open.contacts": 5,
        "connections_down": 1,
        "interactions.push.bills.warning": 1,
        "failed.push.bills.warning": 2,
        "interactions.pull.bills.success": 1,
        "read.pull.bills.success": 7,
    }


@pytest.mark.parametrize(
    ("settings", "tags"),
    [
        ({"STATSD_ON": "True"}, False),
        ({"STATSD_ON": "True", "STATSD_INFLUXDB_ENABLED": "True"}, True),
        ({"STATSD_ON": "True", "OTEL_ON": "True"}, False),
        ({"OTEL_ON": "True"}, True),
        ({"STATSD_ON": "True", "STATSD_DATADOG_ENABLED": "True"}, True),
        ({"STATSD_DATADOG_ENABLED": "True", "STATSD_DATADOG_METRICS_TAGS": "False"}, False),
    ],
)
def test_who_has_tags(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], tags: bool) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"AIRFLOW__METRICS__{name}", value)
    assert metrics.has_tags() is tags
