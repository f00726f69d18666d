"""What the page Settings shows: each setting with what can be chosen, by the type of document that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from xero.qicworks.connect.declared_settings import SETTINGS, Setting
from xero.qicworks.connect.offers import SAYS, Offer, Offers, Thing
from xero.qicworks.connect.settings import ConnectionSettings, Kept, misfits, shown


@dataclass(frozen=True)
class Group:
    """Options of a drop-down, value and words, under a label; without one on top."""

    label: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Field:
    """A setting on the page. `groups`: what can be chosen; empty: it is a text. `problem`: why it does not fit."""

    setting: Setting
    value: str
    words: str
    groups: tuple[Group, ...]
    problem: str | None
    last: Kept | None

    @property
    def id(self) -> str:
        return "setting-" + self.setting.name.replace(".", "-").replace("_", "-")

    @property
    def offered(self) -> set[str]:
        return {value for group in self.groups for value, _ in group.options}


def sections(settings: ConnectionSettings, kept: Mapping[str, Kept], offers: Offers) -> list[tuple[str, list[Field]]]:
    """Title → fields: first those that are about no type of document."""
    problems = {one.setting.name: one.says for one in misfits(settings, offers)}
    fields = [_field(one, settings[one.name], offers, problems, kept) for one in SETTINGS.values()]
    by_kind = groupby(fields, lambda field: field.setting.kind)
    return [(kind.title if kind else "This organisation", list(some)) for kind, some in by_kind]


def _field(
    setting: Setting, value: str, offers: Offers, problems: Mapping[str, str], kept: Mapping[str, Kept]
) -> Field:
    groups = _groups(setting, value, offers)
    words = setting.choices.get(value) or shown(setting, value, offers)
    return Field(setting, value, words, groups, problems.get(setting.name), kept.get(setting.name))


def _groups(setting: Setting, value: str, offers: Offers) -> tuple[Group, ...]:
    if setting.tidy:
        return ()
    if not setting.thing:
        return (Group("", tuple(setting.choices.items())),)
    found = offers.of(setting.thing)
    first = [("", "none")]
    if value and value not in {offer.value for offer in found}:
        first.append((value, _no_longer(offers.get(setting.thing, value), value)))
    by_label: dict[str, list[tuple[str, str]]] = {"": first}
    for offer in sorted(found, key=lambda offer: not _is_usual(setting, offer)):
        by_label.setdefault(_label(setting, offer), []).append((offer.value, offer.shown))
    return tuple(Group(label, tuple(options)) for label, options in by_label.items())


def _no_longer(offer: Offer | None, value: str) -> str:
    return f"{offer.shown} ({SAYS[offer.misfit].partition(':')[0]})" if offer and offer.misfit else value


def _is_usual(setting: Setting, offer: Offer) -> bool:
    if setting.thing is Thing.ACCOUNT:
        return offer.account_class == setting.account_class
    return setting.thing is Thing.CATEGORY or setting.account_class in offer.applies


def _label(setting: Setting, offer: Offer) -> str:
    if setting.thing is Thing.ACCOUNT:
        return f"{(offer.account_class or 'other').capitalize()} accounts"
    if setting.thing is Thing.TAX_CODE:
        usual = f"{setting.account_class.lower()} accounts"
        return f"For {usual}" if _is_usual(setting, offer) else f"Not for {usual}"
    return ""
