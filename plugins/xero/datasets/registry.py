"""Finds every data set declared in this folder, by name. A new one is a new file."""

import importlib
import pkgutil

import xero.datasets as folder
from xero.datasets.declaration import Dataset


def _declared() -> dict[str, Dataset]:
    modules = (
        importlib.import_module(f"xero.datasets.{found.name}") for found in pkgutil.iter_modules(folder.__path__)
    )
    found = (value for module in modules for value in vars(module).values() if isinstance(value, Dataset))
    return {dataset.name: dataset for dataset in sorted(found, key=lambda dataset: dataset.name)}


DATASETS: dict[str, Dataset] = _declared()


def named(name: str) -> Dataset:
    """Returns the data set of that name. Raises KeyError with the names there are."""
    try:
        return DATASETS[name]
    except KeyError:
        raise KeyError(f"no data set '{name}'; there are {', '.join(DATASETS)}") from None
