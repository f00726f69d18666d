"""Declares the currencies of an organisation. They have no id and no status: the key is the code."""

from xero.datasets.declaration import Column, Dataset, Reading, Record, Rule, Source, Table


def code(currency: Record) -> object:
    """In capitals and without blanks, as documents have it."""
    said = currency.get("Code")
    return said.strip().upper() if isinstance(said, str) else said


CURRENCY = Table(
    "currency",
    key="code",
    columns=(
        Column("code", code, required=True, max_length=3),
        Column("description", "Description", max_length=100),
    ),
    active=lambda currency: True,  # one that is no longer in the list becomes inactive
    rules=(
        Rule(
            "ExpectColumnValuesToMatchRegex",
            "code",
            "the code is not three capital letters",
            arguments={"regex": r"^[A-Z]{3}$"},
        ),
        Rule("ExpectColumnValuesToNotBeNull", "description", "the currency has no name in Xero", "warn"),
    ),
)

CURRENCIES = Dataset(
    name="currencies",
    title="Currencies",
    help="The currencies that an organisation has in Xero: no document can have another one. All are fetched and "
    "compared.",
    scope="accounting.settings.read",
    sources=(
        Source(
            path="/api.xro/2.0/Currencies",
            envelope="Currencies",
            reading=Reading.FULL,
            tables=(CURRENCY,),
        ),
    ),
)
