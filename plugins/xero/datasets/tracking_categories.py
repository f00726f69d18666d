"""Declares tracking categories and their options. QicWorks' departments are options of one of them."""

from collections.abc import Iterable

from xero.datasets.declaration import (
    Column,
    ColumnType,
    Dataset,
    Reading,
    Record,
    Source,
    Table,
    in_use,
    known_status,
    status_column,
)


def options(category: Record) -> Iterable[Record]:
    """The options of a category, each with its category."""
    return ({**option, "Category": category} for option in category.get("Options") or ())


def option_in_use(option: Record) -> bool:
    """An active option of an archived category cannot be used either."""
    return in_use(option) and in_use(option["Category"])


STATUS = known_status("ACTIVE", "ARCHIVED", "DELETED")

TRACKING_CATEGORY = Table(
    "tracking_category",
    columns=(
        Column("xero_id", "TrackingCategoryID", ColumnType.UUID, required=True),
        Column("name", "Name", required=True, max_length=100),
        status_column(),
    ),
    active=in_use,
    rules=STATUS,
)

TRACKING_OPTION = Table(
    "tracking_option",
    columns=(
        Column("xero_id", "TrackingOptionID", ColumnType.UUID, required=True),
        Column("category_xero_id", "Category.TrackingCategoryID", ColumnType.UUID, required=True),
        Column("name", "Name", required=True, max_length=100),
        status_column(),
    ),
    active=option_in_use,
    rows=options,
    statements="tracking_categories",
    rules=STATUS,
)

TRACKING_CATEGORIES = Dataset(
    name="tracking_categories",
    title="Tracking categories",
    help="Tracking categories and their options, archived ones as inactive. All are fetched and compared.",
    scope="accounting.settings.read",
    sources=(
        Source(
            path="/api.xro/2.0/TrackingCategories",
            envelope="TrackingCategories",
            reading=Reading.FULL,
            tables=(TRACKING_CATEGORY, TRACKING_OPTION),
            params={"includeArchived": "true"},
        ),
    ),
)
