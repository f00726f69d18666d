"""The settings of an organisation, each declared once. A kind of document declares its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from xero.datasets.declaration import Dataset
from xero.datasets.registry import DATASETS
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
    """Email addresses as they are kept, separated by commas; domains as mail servers know them, in ASCII.

    Raises ValueError with the first that is none, or that not every mail server can send to.
    """
    found = [_sendable(one) for one in re.split(r"[\s,;]+", text) if one]
    return ", ".join(dict.fromkeys(found))


def _sendable(address: str) -> str:
    local, _, domain = address.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode()
    except UnicodeError:
        ascii_domain = ""
    sendable = f"{local}@{ascii_domain}"
    if not (ADDRESS.fullmatch(address) and ADDRESS.fullmatch(sendable) and len(sendable) <= MAX_ADDRESS):
        raise ValueError(f"'{on_a_line(address)}' is not an email address")
    if not local.isascii():
        raise ValueError(f"'{on_a_line(address)}' is an email address with letters that many mail servers refuse")
    return sendable


@dataclass(frozen=True)
class Setting:
    """A setting. Its value is one of `choices` (value → words), something that was pulled (`thing`), or a text that
    `tidy` accepts.

    `account_class`: the class of accounts that is usual, or that a tax code is used with; `with_account`: of a tax
    code, the setting of the account that it is used with; `side`: of documents that have one.
    `private`: no event repeats its value.
    """

    name: str
    title: str
    help: str
    default: str = ""  # empty: none
    choices: Mapping[str, str] = field(default_factory=dict)
    thing: Thing | None = None
    tidy: Callable[[str], str] | None = None
    kind: Kind | None = None
    with_account: str | None = None
    account_class: str = ""
    side: str | None = None
    private: bool = False


CONFLICTS = {
    Conflicts.ASK: "ask each time",
    Conflicts.QICWORKS: "QicWorks' version",
    Conflicts.XERO: "Xero's version",
}
NEW_CONTACTS = {
    NewContacts.ASK: "ask before one is created",
    NewContacts.CREATE: "create them in Xero",
    NewContacts.OFF: "do not send them",
}
ARRIVALS = {
    Arrival.DRAFT: "draft",
    Arrival.SUBMITTED: "awaiting approval",
    Arrival.AUTHORISED: "approved",
}
HOURS = {str(hour): f"{hour % 12 or 12} {'am' if hour < 12 else 'pm'}" for hour in range(24)}


def _texts(choices: Mapping[Any, str]) -> dict[str, str]:
    return {str(value): words for value, words in choices.items()}


def _declared() -> Iterator[Setting]:
    yield Setting(
        "conflicts",
        "Changed on both sides",
        "whose version stays if a document was changed in Xero after its push",
        Conflicts.ASK,
        _texts(CONFLICTS),
    )
    yield Setting(
        "new_contacts",
        "New contacts",
        "whether customers and suppliers that Xero lacks are created there",
        NewContacts.ASK,
        _texts(NEW_CONTACTS),
    )
    yield Setting(
        "departments",
        "Departments",
        "tracking category whose options QicWorks' departments are",
        thing=Thing.CATEGORY,
    )
    yield from (_of_data_set(dataset) for dataset in DATASETS.values() if dataset.optional)
    yield Setting(
        "alerts",
        "Alerts by email",
        "email addresses that are alerted about this organisation, separated by commas",
        tidy=addresses,
        private=True,
    )
    yield Setting("night_hour", "Nightly pull", "hour of the nightly pull, in the organisation's time zone", "2", HOURS)
    for kind in KINDS.values():
        if isinstance(kind, PricedKind):
            yield from _of_kind(kind)


def _of_data_set(dataset: Dataset) -> Setting:
    help = f"whether {dataset.title.lower()} are pulled"
    return Setting(dataset.name, dataset.title, help, "on", {"on": "pull", "off": "do not pull"})


def _of_kind(kind: PricedKind) -> Iterator[Setting]:
    for of in kind.defaults:
        account = f"{kind.name}.{of.prefix}account"
        side = f", {of.side}" if of.side else ""
        yield Setting(
            account,
            f"Default account{side}",
            f"account of lines without one: {of.of}",
            thing=Thing.ACCOUNT,
            kind=kind,
            account_class=of.account_class,
            side=of.side,
        )
        yield Setting(
            f"{kind.name}.{of.prefix}tax_code",
            f"Default tax code{side}",
            f"tax code of lines without one: {of.of}",
            thing=Thing.TAX_CODE,
            kind=kind,
            with_account=account,
            account_class=of.account_class,
            side=of.side,
        )
    yield Setting(
        f"{kind.name}.status",
        "Status on arrival",
        f"status in which {kind.title.lower()} arrive in Xero",
        Arrival.DRAFT,
        _texts(ARRIVALS),
        kind=kind,
    )


SETTINGS: dict[str, Setting] = {one.name: one for one in _declared()}
