"""A new endpoint with its own records is one new file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from xero_sandbox import endpoints
from xero_sandbox.app import create_app
from xero_sandbox.endpoints import Call, find
from xero_sandbox.wire import decode
from xero_sandbox.world import World

CURRENCIES = """
from xero_sandbox.clock import DATA_UNTIL_MS
from xero_sandbox.collection import Kind
from xero_sandbox.endpoints.calling import Endpoint
from xero_sandbox.endpoints.listing import listed, select


def made_up(books):
    for code in ("AUD", "NZD"):
        yield DATA_UNTIL_MS, {"Code": code, "Description": f"{code} of {books.firm.city}"}


def currencies(call):
    collection = call.organisation.collections["Currencies"]
    return listed(call, collection, [row.body for row in select(call, collection)])


COLLECTIONS = ((Kind("Currencies", "Code", "Status", dated=False), made_up),)
ENDPOINTS = (Endpoint("GET", "/api.xro/2.0/Currencies", currencies, ("accounting.settings.read",)),)
"""


def forget() -> None:
    for found in (endpoints._modules, endpoints._routes, endpoints.makers):
        found.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose modules are endpoints, too."""
    monkeypatch.setattr(endpoints, "__path__", [*endpoints.__path__, str(tmp_path)])
    forget()
    yield tmp_path
    forget()


def get(world: World, path: str) -> Call:
    call = Call(world, "GET", path, "", {}, b"")
    call.tenant = next(iter(world.organisations.values()))
    return call


def test_a_new_file_is_an_endpoint_with_records(folder: Path) -> None:
    (folder / "currencies.py").write_text(CURRENCIES)
    world = create_app(profile="small").world
    call = get(world, "/api.xro/2.0/Currencies")
    records = decode(find(call).handle(call).body)["Currencies"]
    assert [record["Description"] for record in records] == ["AUD of Sydney", "NZD of Sydney"]
    assert all(len(organisation.collections["Currencies"].rows) == 2 for organisation in world.organisations.values())


def test_two_files_with_the_same_collection_are_refused(folder: Path) -> None:
    (folder / "money.py").write_text(CURRENCIES)
    (folder / "money_again.py").write_text(CURRENCIES)
    with pytest.raises(ValueError, match="money_again has Currencies"):
        create_app(profile="small")
