"""Whether `xero` is this project alone: PyPI's `pyxero` has that import name, and one environment holds only one."""

import logging
import sys
from importlib.metadata import PackageNotFoundError, distribution

log = logging.getLogger(__name__)

OURS = "qicworks-xero"
TWO = (
    "Another Python package here has the import name xero, which is this project's (qicworks-xero); PyPI's pyxero has "
    "it: uninstall that one, then install this project again, or keep the two in separate environments."
)


def check() -> None:
    """ImportError where another package's `xero` was imported, though parts of it are ours."""
    if getattr(sys.modules["xero"], "OWNER", None) != OURS:
        raise ImportError(TWO)


def warn_of_another() -> None:
    """Ours was imported: the next pip may still overwrite it, or take away what both have."""
    try:
        distribution("pyxero")
    except PackageNotFoundError:
        return
    log.warning(TWO)
