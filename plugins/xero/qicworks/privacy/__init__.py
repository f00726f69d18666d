"""What is stored about a person: where it is mentioned, its export and its erasure."""

from xero.qicworks.privacy.erasing import Erased, erase
from xero.qicworks.privacy.people import Person

__all__ = ["Erased", "Person", "erase"]
