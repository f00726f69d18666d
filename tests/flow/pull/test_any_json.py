"""Any JSON in place of a part of an answer: what else was answered loads, an honest answer puts all right again."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from tests.support.following import own_leave
from tests.support.one_world import world_for_all
from tests.support.pushing import Books
from tests.support.world import World
from xero.api import wire
from xero.api.client import Answer, XeroClient
from xero.api.errors import XeroError
from xero.datasets.declaration import READ_ON, Dataset, Source, Table
from xero.datasets.registry import DATASETS
from xero.sync.pull.rows import Rows
from xero.sync.runs.outcome import PullFailed

Where = tuple[str, tuple[Any, ...]]  # path of the answer, and the way to a place in it
APART = {"id", "synced_at", "row_version", "balances_read_at"}  # what each load writes
OF_SEVERAL = {"disagreement"}  # columns that are worked out from several records

WORDS = st.sampled_from(["", " ", "\x00", "a\x00", "\ud800", "\ufffe", "ACTIVE", "true", "NaN", "1e999", "/Date(0)/",
                         "/Date(999999999999999999+0000)/", "0001-01-01T00:00:00", "0" * 5000, "x" * 300,
                         "00000000-0000-0000-0000-000000000000"])  # fmt: skip
NUMBERS = st.sampled_from([0, -1, 10**30, 2**63, 0.1, 1e-7, -1e300])
PLAIN = st.none() | st.booleans() | NUMBERS | st.integers() | WORDS | st.text(max_size=10)
JSON = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


class Lying:
    """Answers as Xero does, but for one place. `honest` has what Xero answered."""

    def __init__(self, world: World, dataset: Dataset) -> None:
        self.world = world
        self.dataset = dataset
        self.honest: dict[str, Any] = {}
        self.lie: tuple[Where, Any] | None = None
        self.truth: dict[tuple[str, str], dict[str, Any]] = {}
        self.read_anew: dict[str, list[str]] = {}  # table → keys of the rows that this data set reads each time

    def pull(self) -> Any:
        """All of it, read anew. A declared error is the outcome, too."""
        real = XeroClient.get

        def get(client: XeroClient, path: str, **how: Any) -> Answer:
            answer = real(client, path, **how)
            if (how.get("params") or {}).get("page", 1) == 1 and self.source(path):
                if not self.truth:
                    self.honest.setdefault(path, deepcopy(answer.data))
                if self.lie and self.lie[0][0] == path:
                    return replace(answer, data=replaced(answer.data, self.lie[0][1], deepcopy(self.lie[1])))
            return answer

        self.world.query("UPDATE qicworks.staff SET balances_read_at = NULL")  # else they are good for a while
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(XeroClient, "get", get)
            try:
                return self.world.pull_declared(self.dataset, full=True)
            except (XeroError, PullFailed) as error:
                return error

    def blank(self) -> None:
        """What is read anew is to be written anew."""
        for table in self.dataset.tables:
            keys = self.read_anew.get(table.name)
            which = f"%s::text[] IS NULL OR {table.key}::text = ANY(%s)"
            self.world.query(f"UPDATE qicworks.{table.name} SET row_hash = '' WHERE {which}", keys, keys)

    def source(self, path: str) -> Source | None:
        return next(
            (one for one in self.dataset.sources if re.fullmatch(re.sub("{id}", "[^/]+", one.path), path)), None
        )

    def places(self) -> list[Where]:
        """The records, and everything in them; and what holds them."""
        found: list[Where] = []
        for path, data in sorted(self.honest.items()):
            source = self.source(path)
            assert source
            found += [(path, way) for way in ways(data[source.envelope], (source.envelope,))]
        return found

    def of_others(self, where: Where) -> dict[str, set[str]]:
        """Table → the keys of its rows that are not made of the record in which that place is."""
        path, way = where
        source = self.source(path)
        assert source
        at = next((place for place, step in enumerate(way) if isinstance(step, int)), None)
        honest = self.honest[path]
        without = {source.envelope: []} if at is None else deepcopy(honest)
        if at is not None:
            holder = without
            for step in way[:at]:
                holder = holder[step]
            del holder[way[at]]
        others = {table: set(keys) for table, keys in self.read_anew.items()}
        for table in source.tables:
            others[table.name] -= self.keys(source, table, honest) - self.keys(source, table, without)
        return others

    def keys(self, source: Source, table: Table, data: Any) -> set[str]:
        """Of the rows that an answer makes."""
        [read] = self.world.query("SELECT max(as_at)::text AS on FROM qicworks.leave_balance")
        records = [{**record, READ_ON: read["on"]} for record in source.records(data[source.envelope]) or []]
        place = [column.name for column in table.columns].index(table.key)
        return {str(row[4 + place]) for row in Rows(table).of_page(records)[0]}

    def state(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The rows, by table and key."""
        return {
            (table.name, key): {name: value for name, value in row.items() if name not in APART}
            for table in self.dataset.tables
            for key, row in self.world.rows(table.name).items()
        }

    def rejections(self) -> list[Any]:
        return self.world.query(
            "SELECT table_name, key, reasons FROM xero_sync.rejection"
            " WHERE data_set = %s AND closed_at IS NULL ORDER BY table_name, key, reasons::text",
            self.dataset.name,
        )


def ways(node: Any, way: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    yield way
    steps = range(min(len(node), 2)) if isinstance(node, list) else node if isinstance(node, dict) else ()
    for step in steps:
        yield from ways(node[step], (*way, step))


def differences(wanted: dict[Any, dict[str, Any]], found: dict[Any, dict[str, Any]]) -> list[Any]:
    return [
        (place, name, value, found.get(place, {}).get(name, "no such row"))
        for place, row in wanted.items()
        for name, value in row.items()
        if value != found.get(place, {}).get(name, "no such row")
    ]


def replaced(data: Any, way: tuple[Any, ...], value: Any) -> Any:
    made = deepcopy(data)
    *steps, last = way
    node = made
    for step in steps:
        node = node[step]
    node[last] = value
    return made


@pytest.fixture(scope="module")
def world(sandbox_url: str, postgres_url: str, template: str) -> Iterator[World]:
    with world_for_all(sandbox_url, postgres_url, template) as world:
        books = Books(world)
        for kind in ("invoices", "credit_notes", "purchase_orders"):
            for _ in range(2):
                books.add(kind)
            books.push(kind)
        for invoice in books.in_xero("invoices"):
            books.bookkeep("approve", invoice=invoice["InvoiceID"])
            books.bookkeep("pay", invoice=invoice["InvoiceID"], amount="10")
        own_leave(world)
        yield world


@pytest.fixture(scope="module")
def liars(world: World) -> dict[str, Lying]:
    """They know what Xero answers, and it is loaded."""
    made = {name: Lying(world, dataset) for name, dataset in DATASETS.items()}
    for _ in range(2):
        for name, liar in made.items():
            liar.read_anew = {}
            liar.blank()
            assert not isinstance(liar.pull(), Exception), name
            written = [place for place, row in liar.state().items() if row["row_hash"]]
            liar.read_anew = {
                one.name: [key for table, key in written if table == one.name] for one in liar.dataset.tables
            }
            assert all(liar.read_anew.values()), name
    for liar in made.values():
        liar.truth = liar.state()
    return made


@settings(max_examples=10, phases=[Phase.reuse, Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_lie_about_one_record_is_that_record_s(liars: dict[str, Lying], data: st.DataObject) -> None:
    liar = liars[data.draw(st.sampled_from(list(DATASETS)))]
    where = data.draw(st.sampled_from(liar.places()))
    value = wire.loads(json.dumps(data.draw(JSON)).encode())
    liar.lie = (where, value)
    others = liar.of_others(where)
    liar.blank()
    outcome = liar.pull()
    event(f"{liar.dataset.name}: {type(outcome).__name__} {outcome if isinstance(outcome, Exception) else ''}")
    first, rejected = liar.state(), liar.rejections()
    if not isinstance(outcome, Exception):
        kept = {(table, key): liar.truth[table, key] for table, keys in others.items() for key in keys}
        wrong = differences(kept, first)
        assert [one for one in wrong if one[1] not in OF_SEVERAL] == []
        again = liar.pull()
        assert (again.counts.inserted, again.counts.updated, again.counts.deactivated) == (0, 0, 0)
        assert differences(first, liar.state()) == []
        assert liar.rejections() == rejected
    liar.lie = None
    assert not isinstance(liar.pull(), Exception)
    assert differences(liar.truth, liar.state()) == []
    assert liar.rejections() == []
