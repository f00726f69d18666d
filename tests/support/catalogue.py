"""What a database offers those who use it, as PostgreSQL's own catalogue has it, and what a later one takes away."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from xero.qicworks.database import Session

#: The project's own objects; yoyo's tables say which migrations are applied.
OURS = """relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('qicworks', 'xero_sync'))
          AND relname !~ '^_?yoyo'"""

RELATIONS = f"""
    SELECT oid::regclass::text AS name, relkind::text AS kind, relrowsecurity AS row_security
      FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') AND {OURS}
"""
COLUMNS = f"""
    SELECT attrelid::regclass::text AS relation, attname AS name, format_type(atttypid, atttypmod) AS type,
           attnotnull AS required, pg_get_expr(adbin, adrelid) AS "default",
           attidentity::text AS identity, attgenerated::text AS generated
      FROM pg_attribute
      JOIN pg_class ON pg_class.oid = attrelid
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE relkind IN ('r', 'p', 'v', 'm') AND attnum > 0 AND NOT attisdropped AND {OURS}
"""
CONSTRAINTS = f"""
    SELECT conrelid::regclass::text AS relation, conname AS name, contype::text AS kind,
           pg_get_constraintdef(pg_constraint.oid) AS definition, convalidated AS valid,
           ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey)) AS columns
      FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
     WHERE contype IN ('c', 'f', 'x') AND {OURS}
"""
# Of primary keys and unique constraints, too. `keys`: columns or expressions, without the index's own name.
UNIQUE = f"""
    SELECT indrelid::regclass::text AS relation, pg_get_expr(indpred, indrelid) AS condition,
           coalesce((to_jsonb(pg_index) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_alike,
           ARRAY(SELECT pg_get_indexdef(indexrelid, place, true) FROM generate_series(1, indnkeyatts) AS place) AS keys
      FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
     WHERE indisunique AND {OURS}
"""
FUNCTIONS = """
    SELECT oid::regprocedure::text AS name, proargnames AS names, proargmodes::text AS modes,
           pronargdefaults AS defaults, pg_get_function_result(oid) AS result, prosecdef AS as_owner
      FROM pg_proc
     WHERE pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('qicworks', 'xero_sync'))
"""
# `type`: when, for what, how often, as bits. `columns`: of these an UPDATE; none: of any.
TRIGGERS = f"""
    SELECT tgrelid::regclass::text || ' ' || tgname AS name, tgfoid::regprocedure::text AS function,
           tgtype::integer AS type, tgenabled::text AS enabled,
           ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = tgrelid AND attnum = ANY (tgattr)) AS columns,
           substring(pg_get_triggerdef(pg_trigger.oid) FROM 'WHEN (.*) EXECUTE') AS condition
      FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
     WHERE NOT tgisinternal AND {OURS}
"""

EVENTS = 4 | 8 | 16 | 32  # of a trigger's type: INSERT, DELETE, UPDATE, TRUNCATE
INTEGERS = ("smallint", "integer", "bigint")


@dataclass(frozen=True)
class Column:
    type: str
    required: bool
    default: str | None
    identity: str
    generated: str

    @property
    def filling(self) -> tuple[str | None, str, str]:
        return self.default, self.identity, self.generated

    @property
    def filled(self) -> bool:
        """By the database, where nothing is given."""
        return not self.required or self.default is not None or self.identity != ""


@dataclass(frozen=True)
class Constraint:
    relation: str
    name: str
    kind: str
    definition: str
    valid: bool
    columns: frozenset[str]


@dataclass(frozen=True)
class Unique:
    relation: str
    keys: tuple[str, ...]
    condition: str | None
    nulls_alike: bool


@dataclass(frozen=True)
class Function:
    names: list[str] | None
    modes: str | None
    defaults: int
    result: str
    as_owner: bool


@dataclass(frozen=True)
class Trigger:
    function: str
    type: int
    columns: list[str]
    condition: str | None
    enabled: str


@dataclass(frozen=True)
class Catalogue:
    """All of it, at one moment."""

    relations: dict[str, tuple[str, bool]]  # name -> kind, whether rows are hidden by policies
    columns: dict[tuple[str, str], Column]
    constraints: frozenset[Constraint]
    unique: frozenset[Unique]
    functions: dict[str, Function]  # by signature
    triggers: dict[str, Trigger]

    def tables(self) -> list[str]:
        return sorted(name for name, (kind, _) in self.relations.items() if kind in "rp")

    def stored(self, table: str) -> list[str]:
        """The columns that hold what was written to them."""
        return [name for (relation, name), column in self.columns.items() if relation == table and not column.generated]


def catalogue(session: Session) -> Catalogue:
    def rows(statement: str) -> list[dict[str, Any]]:
        return session.execute(statement.encode()).fetchall()

    return Catalogue(
        {row["name"]: (row["kind"], row["row_security"]) for row in rows(RELATIONS)},
        {(row.pop("relation"), row.pop("name")): Column(**row) for row in rows(COLUMNS)},
        frozenset(Constraint(**{**row, "columns": frozenset(row["columns"])}) for row in rows(CONSTRAINTS)),
        frozenset(Unique(**{**row, "keys": tuple(row["keys"])}) for row in rows(UNIQUE)),
        {row.pop("name"): Function(**row) for row in rows(FUNCTIONS)},
        {row.pop("name"): Trigger(**row) for row in rows(TRIGGERS)},
    )


def taken_away(before: Catalogue, after: Catalogue) -> list[str]:
    """What those who were written for `before` would miss in `after`, or be refused by it. Nothing: it only adds."""
    return [
        *_relations(before, after),
        *_columns(before, after),
        *_constraints(before, after),
        *_unique(before, after),
        *_functions(before, after),
        *_triggers(before, after),
    ]


def _relations(before: Catalogue, after: Catalogue) -> Iterator[str]:
    for name, (kind, hidden) in before.relations.items():
        if name not in after.relations:
            yield f"{name} is gone"
        elif after.relations[name][0] != kind:
            yield f"{name} is another kind of relation"
        elif after.relations[name][1] and not hidden:
            yield f"{name} has row security now, which hides its rows"


def _columns(before: Catalogue, after: Catalogue) -> Iterator[str]:
    for (relation, name), old in before.columns.items():
        new = after.columns.get((relation, name))
        if relation not in after.relations:
            continue  # that was said
        if new is None:
            yield f"{relation}.{name} is gone"
            continue
        if not _holds_all_of(new.type, old.type):
            yield f"{relation}.{name} was {old.type} and is {new.type}"
        if new.required and not old.required:
            yield f"{relation}.{name} is NOT NULL now"
        if not (old.generated and new.generated) and new.filling != old.filling:
            yield f"{relation}.{name} is filled in another way than before: {old.default} is {new.default}"
    for (relation, name), new in after.columns.items():
        if relation in before.relations and (relation, name) not in before.columns and not new.filled:
            yield f"{relation}.{name} is new and NOT NULL, and nothing fills it where it is not given"


def _holds_all_of(new: str, old: str) -> bool:
    """Whether all that fits the old type fits the new one."""
    if new == old:
        return True
    if old in INTEGERS and new in INTEGERS:
        return INTEGERS.index(new) >= INTEGERS.index(old)
    old_name, old_sizes = _sized(old)
    new_name, new_sizes = _sized(new)
    if old_name == "character varying":
        return new == "text" or (new_name == old_name and (not new_sizes or new_sizes >= old_sizes > []))
    if old_name == new_name == "numeric" and old_sizes:
        if not new_sizes:
            return True
        (old_digits, old_places), (new_digits, new_places) = old_sizes, new_sizes
        return new_places >= old_places and new_digits - new_places >= old_digits - old_places
    return False


def _sized(type: str) -> tuple[str, list[int]]:
    return type.partition("(")[0], [int(number) for number in re.findall(r"\d+", type.partition("(")[2])]


def _constraints(before: Catalogue, after: Catalogue) -> Iterator[str]:
    known = {(one.relation, one.definition) for one in before.constraints}
    gone = [one for one in before.constraints if one not in after.constraints]
    for one in after.constraints:
        old_columns = {name for name in one.columns if (one.relation, name) in before.columns}
        if one.relation not in before.relations or (one.relation, one.definition) in known or not old_columns:
            continue
        optional = any((column := after.columns[one.relation, name]).default is None and not column.required
                       for name in one.columns - old_columns)  # fmt: skip
        if one.kind == "f" and optional:
            continue  # it holds for nobody who leaves the new column out
        if not any(_is_looser(one.definition, other.definition) for other in gone if other.relation == one.relation):
            yield f"{one.relation}: {one.name} forbids what was allowed: {one.definition}"


def _is_looser(new: str, old: str) -> bool:
    """Whether it is the same list of values, and some more."""
    words = re.compile(r"'((?:[^']|'')*)'::text")
    more, fewer = (set(words.findall(text)) for text in (new, old))
    without = [
        re.sub(r"(?:, )+", ", ", words.sub("", text)).replace("[, ", "[").replace(", ]", "]") for text in (new, old)
    ]
    return bool(fewer) and more >= fewer and without[0] == without[1]


def _unique(before: Catalogue, after: Catalogue) -> Iterator[str]:
    for one in sorted(before.unique - after.unique, key=str):
        if one.relation in after.relations:
            yield f"{one.relation} is no longer unique by {', '.join(one.keys)}: ON CONFLICT needs that"
    for one in sorted(after.unique - before.unique, key=str):
        if one.relation not in before.relations:
            continue
        new = [after.columns[one.relation, key] for key in one.keys if _is_new(before, after, one.relation, key)]
        if one.nulls_alike or not any(column.default is None and not column.required for column in new):
            yield f"{one.relation} has to be unique by {', '.join(one.keys)} now"


def _is_new(before: Catalogue, after: Catalogue, relation: str, key: str) -> bool:
    return (relation, key) in after.columns and (relation, key) not in before.columns


def _functions(before: Catalogue, after: Catalogue) -> Iterator[str]:
    for name, old in before.functions.items():
        new = after.functions.get(name)
        if new is None:
            yield f"the function {name} is gone"
        elif new.defaults < old.defaults or replace(new, defaults=old.defaults) != old:
            yield f"the function {name} was {old} and is {new}"


def _triggers(before: Catalogue, after: Catalogue) -> Iterator[str]:
    for name, old in before.triggers.items():
        new = after.triggers.get(name)
        if new is None:
            yield f"the trigger {name} is gone"
            continue
        fewer = new.columns and not set(new.columns) >= set(old.columns or ["any"])
        same = (new.function, new.condition, new.enabled) == (old.function, old.condition, old.enabled)
        if fewer or not same or new.type & old.type != old.type or (new.type ^ old.type) & ~EVENTS:
            yield f"the trigger {name} was {old} and is {new}"
