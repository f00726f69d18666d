"""Checks of the departments of a line: QicWorks' own, and the tracking options that it is booked on."""

from __future__ import annotations

from collections.abc import Iterator

from xero.documents.declaration import CheckResult, PricedLine


def tracked(line: PricedLine) -> Iterator[CheckResult]:
    """On options that are in use in this Xero organisation, one of each tracking category."""
    chosen = [department for department in line.departments if department.id]
    if line.department_is_lacking:
        yield _lacking(line)
    elif key(line.department) not in {"", *(key(department.name) for department in chosen)}:
        own = ", ".join(f"'{department.name}'" for department in chosen)
        yield CheckResult(f"department '{line.department}' was not sent: the line has a tracking option, {own}")
    for department in chosen:
        if not department.is_here or not department.is_active:
            yield CheckResult(
                f"department '{department.name}' is archived or not in this Xero organisation",
                "Pull tracking categories ({pull_tracking_categories}). Then choose another department on the "
                "{document}.",
                "release",
            )
    if len(chosen) == 2 and line.first_category_xero_id == line.second_category_xero_id:
        yield CheckResult(
            "it has two departments of the same tracking category",
            "Keep one department of each tracking category on the {document}.",
            "release",
        )


def key(name: str | None) -> str:
    """A department's name without what makes no difference: case and blanks."""
    return " ".join((name or "").split()).casefold()


def _lacking(line: PricedLine) -> CheckResult:
    name, category = (" ".join((text or "").split()) for text in (line.department, line.department_category))
    by_itself = "the next push then sends the {document} by itself"
    if not category:
        says = f"its department '{name}' has no tracking category in Xero"
        todo = f"Choose one under Xero › Connections › Settings, Departments: {by_itself}."
    else:
        says = f"tracking category '{category}' has no active option for department '{name}'"
        todo = f"Under Xero › Connections › Settings, choose Create in Xero beside the department: {by_itself}. "
        todo += "Or correct the department on the {document} and release it."
    return CheckResult(says, todo, lacks_department=True)
