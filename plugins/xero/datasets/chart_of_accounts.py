"""Declares the chart of accounts. Bank accounts may have no code, and codes can be edited, so the key is Xero's id."""

from xero.datasets.declaration import (
    UPDATED,
    Column,
    ColumnType,
    Dataset,
    Reading,
    Source,
    Table,
    in_use,
    known_status,
    status_column,
)

ACCOUNT = Table(
    "account",
    columns=(
        Column("xero_id", "AccountID", ColumnType.UUID, required=True),
        Column("code", "Code", max_length=10),
        Column("name", "Name", required=True, max_length=150),
        Column("type", "Type", max_length=50),
        Column("class", "Class", max_length=50),
        Column("description", "Description", max_length=4000),
        Column("default_tax_type", "TaxType", max_length=50),
        Column("system_account", "SystemAccount", max_length=50),
        Column("bank_account_type", "BankAccountType", max_length=50),
        Column("currency", "CurrencyCode", max_length=3),
        Column("enable_payments", "EnablePaymentsToAccount", ColumnType.BOOLEAN),
        Column("show_in_expense_claims", "ShowInExpenseClaims", ColumnType.BOOLEAN),
        status_column(),
        UPDATED,
    ),
    active=in_use,
    rules=known_status("ACTIVE", "ARCHIVED", "DELETED"),
)

CHART_OF_ACCOUNTS = Dataset(
    name="chart_of_accounts",
    title="Chart of accounts",
    help="Every account with its code, type, class and default tax; archived ones as inactive.",
    scope="accounting.settings.read",
    sources=(
        Source(
            path="/api.xro/2.0/Accounts",
            envelope="Accounts",
            reading=Reading.CHANGES,
            tables=(ACCOUNT,),
        ),
    ),
)
