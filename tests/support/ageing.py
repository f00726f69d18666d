"""A QicWorks database five years later."""

from tests.support.world import World

# Everything that has an age.
AGED = {
    "connection_event": ("started_at", "ended_at"),
    "push_request": ("created_at", "first_sent_at", "last_sent_at", "closed_at"),
    "rejection": ("rejected_at", "last_tried_at", "closed_at"),
    "staging": ("started_at",),
    "oauth_state": ("created_at", "expires_at"),
    "call_budget": ("day_seen_at", "not_before"),
    "traffic": ("day",),
}


def age(world: World) -> None:
    world.query("ALTER TABLE xero_sync.connection_event DISABLE TRIGGER has_ended")  # nothing ends anew
    for table, columns in AGED.items():
        older = ", ".join(f"{column} = {column} - interval '5 years'" for column in columns)
        world.query(f"UPDATE xero_sync.{table} SET {older}")
    world.query("ALTER TABLE xero_sync.connection_event ENABLE TRIGGER has_ended")
    world.query("UPDATE xero_sync.call_budget SET calls = '{}'")
