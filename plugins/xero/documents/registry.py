"""Every kind of document declared in this folder, by name. A new one is a new file."""

import importlib
import pkgutil

import xero.documents as folder
from xero.documents.declaration import Kind


def _declared() -> dict[str, Kind]:
    modules = (
        importlib.import_module(f"xero.documents.{found.name}") for found in pkgutil.iter_modules(folder.__path__)
    )
    found = (value for module in modules for value in vars(module).values() if isinstance(value, Kind))
    return {kind.name: kind for kind in sorted(found, key=lambda kind: kind.name)}


KINDS: dict[str, Kind] = _declared()


def named(name: str) -> Kind:
    """The kind of that name. Raises KeyError, which lists the kinds that exist."""
    try:
        return KINDS[name]
    except KeyError:
        raise KeyError(f"no kind of document '{name}'; there are {', '.join(KINDS)}") from None
