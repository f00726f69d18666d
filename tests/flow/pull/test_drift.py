"""Records that change while they are read: none is lost, without waiting for another run."""

import pytest

from tests.support.world import World


def grow(world: World, contacts: int, **how: object) -> None:
    world.sandbox.reset(contacts={world.names()[0]: contacts}, **how)
    world.connect()
    world.calls()


def drift(world: World, *, total: int = 100, changes_per_page: int = 10) -> None:
    world.sandbox.control(
        "PUT",
        "drift",
        {
            "tenant": world.sandbox.tenant(),
            "collection": "Contacts",
            "changes_per_page": changes_per_page,
            "total": total,
        },
    )


def assert_in_step(world: World, *, behind: int = 0) -> None:
    """All are there; at most so many, changed since, wait for the next run, which brings them."""
    truth = {contact["ContactID"]: contact["Name"] for contact in world.sandbox.truth("Contacts")}
    held = world.rows("contact")
    assert set(held) == set(truth)
    assert sum(held[key]["name"] != name for key, name in truth.items()) <= behind
    world.pull("contacts")
    held = world.rows("contact")
    assert all(held[key]["name"] == name for key, name in truth.items())


@pytest.mark.parametrize(("same_second", "most"), [(None, 13), (540, 15), ("all", 15)])
def test_twelve_pages_of_which_a_hundred_records_change(world: World, same_second: object, most: int) -> None:
    """How many calls 10,000 take is asked of the paging alone, in `tests/pure/test_paging.py`."""
    grow(world, 1_200, **({"same_second": same_second} if same_second else {}))
    world.sandbox.settings(max_page_size=100)
    drift(world)
    outcome = world.pull("contacts")
    [order] = world.sandbox.control("GET", "drift")
    assert order["left"] == 0, "fewer changed than were to change: this would prove less"
    assert (outcome.status, outcome.counts.read) == ("success", 1_200)
    assert outcome.counts.calls <= most
    assert_in_step(world, behind=10)


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({"ims_bound": "exclusive"}, False),
        ({"pagination_object": False}, False),
        ({"max_page_size": 100}, False),
        ({"sorts": False}, True),
        ({"filters": False}, True),
        ({"sorts": False, "filters": False, "pagination_object": False}, True),
    ],
)
def test_servers_of_another_temper(world: World, settings: dict[str, object], warned: bool) -> None:
    grow(world, 1_200)
    world.sandbox.settings(**settings)
    drift(world, total=40, changes_per_page=5)
    outcome = world.pull("contacts")
    assert outcome.status == ("warning" if warned else "success"), outcome.message
    assert_in_step(world, behind=40 if warned else 10)


@pytest.mark.parametrize("bound", ["inclusive", "exclusive"])
def test_the_bound_of_if_modified_since_does_not_matter(world: World, bound: str) -> None:
    """Records of one second, on both sides of a page's end and of a run's end."""
    grow(world, 250)
    world.sandbox.settings(ims_bound=bound, max_page_size=100)
    for place, contact in enumerate(sorted(world.sandbox.truth("Contacts"), key=lambda row: row["UpdatedDateUTC"])):
        if place % 100 in (98, 99, 0, 1):
            second = 1_700_000_000_000 + place // 50 * 1000
            world.sandbox.change("Contacts", contact["ContactID"], UpdatedDateUTC=f"/Date({second}+0000)/")
    assert world.pull("contacts").counts.read == 250
    assert_in_step(world)
