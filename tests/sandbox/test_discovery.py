"""A new endpoint with its own records is one new file. The one here is none that Xero could have one day."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from xero_sandbox import endpoints
from xero_sandbox.endpoints import Call, find
from xero_sandbox.making import make_world, pristine
from xero_sandbox.wire import decode
from xero_sandbox.world import Client, World

LIGHTHOUSES = """
from xero_sandbox.clock import DATA_UNTIL_MS
from xero_sandbox.collection import Kind
from xero_sandbox.endpoints.calling import Endpoint
from xero_sandbox.endpoints.listing import listed, select


def made_up(books):
    for code in ("BYRON", "OTWAY"):
        yield DATA_UNTIL_MS, {"Code": code, "Description": f"{code} of {books.firm.city}"}


def lighthouses(call):
    collection = call.organisation.collections["Lighthouses"]
    return listed(call, collection, [row.body for row in select(call, collection)])


COLLECTIONS = ((Kind("Lighthouses", "Code", "Status", dated=False), made_up),)
ENDPOINTS = (Endpoint("GET", "/api.xro/2.0/Lighthouses", lighthouses, ("accounting.settings.read",)),)
"""


def forget() -> None:
    for found in (endpoints._modules, endpoints._routes, endpoints.makers, pristine):
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
    (folder / "lighthouses.py").write_text(LIGHTHOUSES)
    world = make_world(Client(), profile="small")
    call = get(world, "/api.xro/2.0/Lighthouses")
    records = decode(find(call).handle(call).body)["Lighthouses"]
    assert [record["Description"] for record in records] == ["BYRON of Sydney", "OTWAY of Sydney"]
    assert all(len(organisation.collections["Lighthouses"].rows) == 2 for organisation in world.organisations.values())


def test_two_files_with_the_same_collection_are_refused(folder: Path) -> None:
    (folder / "towers.py").write_text(LIGHTHOUSES)
    (folder / "towers_again.py").write_text(LIGHTHOUSES)
    with pytest.raises(ValueError, match="towers_again has Lighthouses"):
        make_world(Client(), profile="small")
