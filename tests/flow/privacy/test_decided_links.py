"""What a link replaced is kept for an undo, and goes with the person."""

from tests.flow.privacy.test_own_contacts import everywhere
from tests.support.employees import add_member, employ, members
from tests.support.own_contacts import OwnBooks
from tests.support.world import World
from xero.qicworks import database
from xero.qicworks.privacy import erasing, people


def test_an_erased_person_is_in_no_decision(world: World) -> None:
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    employ(world, "Mirri-Anne", "Quokkason", "mirri@quokka.example")
    employ(world, "Asked", "Quokkason", "asked@quokka.example")
    linked = add_member(world, "Mirrianne", "Quokkason", "mirri@quokka.example")
    asked = add_member(world, "Asked", "Quokkason", None)
    world.pull("staff")
    assert members(world)[linked]["match_state"] == "linked"
    assert "xero_sync.link_decision" in everywhere(own, "Mirrianne")
    with database.session(world.engine) as session, session.transaction():
        [person] = people.find(session, email="mirri@quokka.example")
        holdings = {one.table: one.rows for one in people.holdings(session, person)}
        assert [row["decision"] for row in holdings["xero_sync.link_decision"]] == ["link"]
        waits = [*people.find(session, email="asked@quokka.example"), *people.find(session, id=asked)]
        assert erasing.erase(session, [person, *waits]).rows["xero_sync.link_decision"] == 1
    assert everywhere(own, "Mirri", "Quokkason", "quokka.example") == []
    assert world.query("SELECT * FROM xero_sync.link_candidate") == []
    world.pull("staff", full=True)
    assert everywhere(own, "Mirri", "Quokkason", "quokka.example") == []
