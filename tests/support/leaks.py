"""Where a secret could stand."""

from tests.support.world import World


def everything_in_the_database(world: World) -> str:
    tables = world.query(
        "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name FROM information_schema.tables"
        " WHERE table_schema IN ('xero_sync', 'qicworks') AND table_type = 'BASE TABLE'"
    )
    assert len(tables) > 10
    dump = []
    for table in tables:
        dump += [row["line"] for row in world.query(f"SELECT t::text AS line FROM {table['name']} AS t")]
    return "\n".join(dump)
