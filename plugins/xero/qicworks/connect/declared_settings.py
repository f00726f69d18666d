"""The settings of an organisation, each declared once. A kind of document declares its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from xero.documents.declaration import Kind, PricedKind
from xero.documents.parts.arriving import Arrival
from xero.documents.registry import KINDS
from xero.qicworks.connect.offers import Thing
from xero.qicworks.texts import on_a_line

MAX_ADDRESS = 254  # characters
ADDRESS = re.compile(r"[^@\s,;<>\"()]+@[^@\s,;<>\"().]+(\.[^@\s,;<>\"().]+)+")


class Conflicts(StrEnum):
    """What happens with a document that was changed in Xero after it was pushed."""

    ASK = "ask"  # a difference, and nothing is overwritten until a user chooses
    QICWORKS = "qicworks"  # QicWorks' version overwrites Xero's
    XERO = "xero"  # QicWorks takes Xero's version over


class NewContacts(StrEnum):
    """What happens with a customer or supplier of QicWorks that is not linked to a contact in Xero."""

    OFF = "off"  # it is not looked for and not sent
    ASK = "ask"  # one certain match is linked; otherwise a user decides
    CREATE = "create"  # one certain match is linked; if Xero has none like it, it is created


def addresses(text: str) -> str:
    """E-mail addresses as they are kept, separated by commas. Raises ValueError with the first that is none."""
    found = [one for one in re.split(r"[\s,;]+", text) if one]
    for one in found:
        if not ADDRESS.fullmatch(one) or len(one) > MAX_ADDRESS:
            raise ValueError(f"'{on_a_line(one)}' is not an e-mail address")
    return ", ".join(dict.fromkeys(found))


@dataclass(frozen=True)
class Setting:
    """A setting: `help` is one line for users. Its value is one of `choices`, something that was pulled (`thing`), or a
    text that `tidy` accepts.

    `account_class`: the class of accounts that is usual, or that a tax code is used with; `with_account`: of a tax
    code, the setting of the account that it is used with. `private`: no event repeats its value.
    """

    name: str
    help: str
    default: str = ""  # empty: none
    choices: tuple[str, ...] = ()
    thing: Thing | None = None
    tidy: Callable[[str], str] | None = None
    kind: Kind | None = None
    with_account: str | None = None
    account_class: str = ""
    private: bool = False


def _declared() -> Iterator[Setting]:
    yield Setting(
        "conflicts", "whose version stays if a document was changed in Xero after its push", "ask", tuple(Conflicts)
    )
    yield Setting(
        "new_contacts", "whether customers and suppliers that Xero lacks are created there", "ask", tuple(NewContacts)
    )
    yield Setting("departments", "tracking category that QicWorks' departments are options of", thing=Thing.CATEGORY)
    yield Setting("leave_balances", "whether leave balances are pulled", "on", ("on", "off"))
    yield Setting("alerts", "e-mail addresses that are alerted about this organisation", tidy=addresses, private=True)
    yield Setting(
        "night_hour", "hour of the nightly pull, in the organisation's time zone", "2", tuple(map(str, range(24)))
    )
    for kind in KINDS.values():
        if isinstance(kind, PricedKind):
            yield from _of_kind(kind)


def _of_kind(kind: PricedKind) -> Iterator[Setting]:
    for of in kind.defaults:
        account = f"{kind.name}.{of.prefix}account"
        yield Setting(
            account,
            f"account of lines without one: {of.of}",
            thing=Thing.ACCOUNT,
            kind=kind,
            account_class=of.account_class,
        )
        yield Setting(
            f"{kind.name}.{of.prefix}tax_code",
            f"tax code of lines without one: {of.of}",
            thing=Thing.TAX_CODE,
            kind=kind,
            with_account=account,
            account_class=of.account_class,
        )
    help = f"status in which {kind.title.lower()} arrive in Xero"
    yield Setting(f"{kind.name}.status", help, Arrival.DRAFT, tuple(Arrival), kind=kind)


SETTINGS: dict[str, Setting] = {one.name: one for one in _declared()}
