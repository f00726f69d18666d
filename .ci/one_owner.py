"""Ends with 1, and a sentence, where a second package has the import name `xero`, as PyPI's `pyxero` has."""

import sys
from importlib.metadata import packages_distributions

others = sorted(set(packages_distributions().get("xero", ())) - {"qicworks-xero"})
if others:
    sys.exit(
        f"{' and '.join(others)} has the import name xero, too, which is this project's: uninstall it "
        f"(uv pip uninstall --python {sys.executable} {' '.join(others)}), then make setup."
    )
