"""Declares tax codes (Xero's tax rates). They have no id, and names can be edited, so the key is the tax type."""

from xero.datasets.declaration import (
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

TAX_CODE = Table(
    "tax_code",
    key="tax_type",
    columns=(
        Column("tax_type", "TaxType", required=True, max_length=50),
        Column("name", "Name", required=True, max_length=255),
        Column("rate", "EffectiveRate", ColumnType.NUMBER, digits=(10, 4)),
        Column("display_rate", "DisplayTaxRate", ColumnType.NUMBER, digits=(10, 4)),
        Column("report_tax_type", "ReportTaxType", max_length=50),
        Column("applies_assets", "CanApplyToAssets", ColumnType.BOOLEAN),
        Column("applies_equity", "CanApplyToEquity", ColumnType.BOOLEAN),
        Column("applies_expenses", "CanApplyToExpenses", ColumnType.BOOLEAN),
        Column("applies_liabilities", "CanApplyToLiabilities", ColumnType.BOOLEAN),
        Column("applies_revenue", "CanApplyToRevenue", ColumnType.BOOLEAN),
        status_column(),
    ),
    active=in_use,
    rules=known_status("ACTIVE", "ARCHIVED", "DELETED", "PENDING"),
)

TAX_CODES = Dataset(
    name="tax_codes",
    title="Tax codes",
    help="Every tax rate and where it may be used. Xero cannot filter by change, so all are fetched and compared.",
    scope="accounting.settings.read",
    sources=(
        Source(
            path="/api.xro/2.0/TaxRates",
            envelope="TaxRates",
            reading=Reading.FULL,
            tables=(TAX_CODE,),
        ),
    ),
)
