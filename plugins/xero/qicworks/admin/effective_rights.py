"""What a role may really do, by whatever way it came to it: its own grants, groups, everybody's rights, ownership."""

from collections import defaultdict
from collections.abc import Iterable

from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("grants")

# schema, table, column ("" where the right is to the whole table), right
Right = tuple[str, str, str, str]

SHOWN = 20


def beyond(session: Session, role: str, meant: set[Right]) -> list[str]:
    """What the role could do in both schemas beside what is meant, and through whom, in words."""
    found = [row["said"] for row in QUERIES.might(session, role=role)]
    if any("superuser" in said for said in found):
        return found  # each right in a list would add nothing
    found += [row["said"] for row in QUERIES.owned(session, role=role)]
    found += [row["said"] for row in QUERIES.to_come(session, role=role)]
    # By table, right and holder: the columns. Everybody comes first, the role itself last.
    seen: set[Right] = set()
    more: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in QUERIES.effective(session, role=role):
        right: Right = (row["schema"], row["name"], row["column"], row["right"])
        if right not in meant and right not in seen:
            seen.add(right)
            more[f"{row['schema']}.{row['name']}".rstrip("."), row["right"], row["holder"]].append(row["column"])
    for (name, right_to, holder), columns in more.items():
        found.append(f"{right_to} on {name}{_columns(columns)}, {_way(holder, role)}")
    return found[:SHOWN] + ([f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else [])


def beside(session: Session, role: str) -> list[str]:
    """What it may do in this database outside of both schemas, in words: odd, and perhaps wanted."""
    return [row["said"] for row in QUERIES.beside(session, role=role)][:SHOWN]


def _columns(columns: Iterable[str]) -> str:
    named = sorted(filter(None, columns))
    return f" ({', '.join(named[:3])}{', …' if len(named) > 3 else ''})" if named else ""


def _way(holder: str, role: str) -> str:
    if holder == "public":
        return "as everybody may (PUBLIC)"
    return "granted to itself by somebody else" if holder == role else f"through {holder}"
