"""Every column of what is pushed, and odd values of its type: what PostgreSQL can hold and nobody expects."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.support.world import World

#: The tables of documents, and those of their parts; columns that are added later join by themselves.
DOCUMENTS = ("invoice", "bill", "expense", "credit_note", "purchase_order", "payroll_push", "leave_request",
             "contact")  # fmt: skip
PARTS = ("document_line", "attachment", "payroll_line", "pay_period", "owned_earnings_line")

TEXTS = [
    "", " ", "\t", "\n", "\r\n", "\x01", "a\x07b", "\x1f", "\x7f", "\x85", "\ufffe", "\uffff", "\ufeff", "\u202e123",
    "\u0301", "\U0001f9fe", "\u2028", "'", '"', "\\", "a,b", 'a" OR "b', "{document}", "[x]", "%s %(x)s", "<b>&amp;",
    "null", "NaN", "../..", "a/b?c#d", "Pending", "Approved", "AUD", "zzz", "text/plain", "text/plain\nX: y", "é/ü",
]  # fmt: skip
DAYS = ["20261-10-05", "5874897-12-31", "infinity", "-infinity", "0001-01-01", "0044-03-15 BC", "4713-01-01 BC",
        "9999-12-31", "10000-01-01", "1752-12-31", "0202-10-05", "2199-12-31"]  # fmt: skip
MOMENTS = [*DAYS[2:5], "9999-12-31 23:59:59.999999+00", "10000-01-01 00:00+00", "294276-12-31 23:59+00",
           "4713-01-01 00:00+00 BC", "1970-01-01 00:00+14"]  # fmt: skip
NUMBERS = ["NaN", "Infinity", "-Infinity", "0", "-0.0001", "0.0001", "0.33335", "-1", "1e9", "99999.9999", "99999.99"]
NUMBERS += [sign + "9" * digits + "." + "9" * 4 for digits in (10, 14, 16) for sign in ("", "-")]
WHOLE = ["0", "-1", "1", "2147483647", "-2147483648"]
JSON = ["null", "[]", "{}", '"x"', "1e400", "1" + "0" * 5000, "[" * 3000 + "]" * 3000, '{"RatePerUnit": "x"}',
        '{"RatePerUnit": {"a": 1}, "CalculationType": 5}', '{"CalculationType": "USEEARNINGSRATE"}']  # fmt: skip
IDS = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]


@dataclass(frozen=True)
class Column:
    """A column; `longest`: characters, None for any number."""

    schema: str
    table: str
    name: str
    type: str
    nullable: bool
    longest: int | None

    @property
    def full_name(self) -> str:
        """Of its table."""
        return f"{self.schema}.{self.table}"

    def values(self) -> SearchStrategy[Any]:
        """Texts that PostgreSQL reads as the type; None for NULL. Some it refuses all the same."""
        some = self._values()
        return st.one_of(st.none(), some) if self.nullable else some

    def _values(self) -> SearchStrategy[Any]:
        match self.type:
            case "text" | "character varying":
                long = st.just("x" * (self.longest or 1_000_000)) | st.just("ü" * (self.longest or 1000))
                any_of_them = st.characters(codec="utf-8", exclude_characters="\x00")
                free = st.text(any_of_them, max_size=min(self.longest or 60, 60))
                return st.sampled_from([one for one in TEXTS if len(one) <= (self.longest or 100)]) | long | free
            case "date":
                return st.sampled_from(DAYS) | st.dates().map(str)
            case "timestamp with time zone":
                return st.sampled_from(MOMENTS)
            case "numeric":
                return st.sampled_from(NUMBERS) | st.decimals(-(10**5), 10**5, places=4).map(str)
            case "integer" | "bigint":
                return st.sampled_from(WHOLE)
            case "uuid":
                return st.sampled_from(IDS) | st.uuids().map(str)
            case "boolean":
                return st.sampled_from(["true", "false"])
            case "bytea":
                return st.binary(max_size=50) | st.just(b"\x00\xff" * 500_000)
            case "jsonb":
                return st.sampled_from(JSON)
            case "ARRAY":
                return st.sampled_from(["{}", "{NaN}", "{NULL}", "{1,NULL}", "{{1,2},{3,4}}", "{99999999999999.9999}"])
        raise AssertionError(f"{self.full_name}.{self.name} is of a new type {self.type}: say here what is odd in it")


def columns(world: World) -> list[Column]:
    rows = world.query(
        "SELECT table_schema, table_name, column_name, data_type, is_nullable = 'YES' AS nullable,"
        "       character_maximum_length"
        "  FROM information_schema.columns WHERE table_schema IN ('qicworks', 'xero_sync') AND table_name = ANY(%s)"
        " ORDER BY table_name, column_name",
        [*DOCUMENTS, *PARTS],
    )
    return [Column(*row.values()) for row in rows]
