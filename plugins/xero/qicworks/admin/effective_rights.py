"""Finds what a role may really do: by its own grants, groups, the rights of PUBLIC, and ownership."""

from collections import defaultdict
from collections.abc import Iterable

from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("grants")

# schema, table, column ("" if the right is to the table), right
Right = tuple[str, str, str, str]

MAX_SHOWN = 20  # rights in a message


def rights_beyond(session: Session, role: str, meant: set[Right]) -> list[str]:
    """Describes what the role could do in both schemas in addition to what is meant, and through whom."""
    mighty = list(QUERIES.might(session, role=role))
    found = [row["description"] for row in mighty]
    if any(row["is_superuser"] for row in mighty):
        return found  # each right in a list would add nothing
    found += [row["description"] for row in QUERIES.owned(session, role=role)]
    found += [row["description"] for row in QUERIES.to_come(session, role=role)]
    # The columns by table, right and holder: PUBLIC comes first, the role itself last.
    seen: set[Right] = set()
    more: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in QUERIES.effective(session, role=role):
        right: Right = (row["schema"], row["name"], row["column"], row["right"])
        if right not in meant and right not in seen:
            seen.add(right)
            more[f"{row['schema']}.{row['name']}".rstrip("."), row["right"], row["holder"]].append(row["column"])
    for (name, right_to, holder), columns in more.items():
        found.append(f"{right_to} on {name}{_columns(columns)}, {_way(holder, role)}")
    return found[:MAX_SHOWN] + ([f"and {len(found) - MAX_SHOWN} more"] if len(found) > MAX_SHOWN else [])


def rights_elsewhere(session: Session, role: str) -> list[str]:
    """Describes what it may do in this database outside of both schemas: unusual, but perhaps wanted."""
    return [row["description"] for row in QUERIES.rights_elsewhere(session, role=role)][:MAX_SHOWN]


def _columns(columns: Iterable[str]) -> str:
    named = sorted(filter(None, columns))
    return f" ({', '.join(named[:3])}{', …' if len(named) > 3 else ''})" if named else ""


def _way(holder: str, role: str) -> str:
    if holder == "public":
        return "as everyone may (PUBLIC)"
    return "granted to itself by another role" if holder == role else f"through {holder}"
