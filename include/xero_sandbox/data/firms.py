"""The firms, their sizes in each profile, and the books of one firm while they are being made up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from xero_sandbox.collection import Collection, Kind, Record
from xero_sandbox.data.dice import Dice


@dataclass(frozen=True)
class Firm:
    name: str
    timezone: str
    city: str
    region: str
    basis: str
    accounts: int  # beyond the standard chart
    options: int  # beyond the standard tracking options
    calendars: tuple[str, ...]  # of its payroll, once it has staff
    connected: bool = True  # to the app itself, as a custom connection is; each of them a user may connect
    currencies: tuple[str, ...] = ()  # beyond its own: none without a plan that has multiple currencies


FIRMS = (
    Firm(
        "Harbour & Sons Plumbing Pty Ltd",
        "AUSEASTERNSTANDARDTIME",
        "Sydney",
        "NSW",
        "ACCRUALS",
        60,
        40,
        ("FORTNIGHTLY", "WEEKLY"),
    ),
    Firm(
        "Barossa Electrical Co-operative",
        "CENAUSTRALIASTANDARDTIME",
        "Tanunda",
        "SA",
        "CASH",
        8,
        3,
        ("FOURWEEKLY",),
        currencies=("EUR", "IDR", "NZD"),
    ),
    Firm("Kimberley Air & Solar – Broome", "WAUSTRALIASTANDARDTIME", "Broome", "WA", "CASH", 0, 0, ("WEEKLY",)),
    Firm(
        "Huon Valley Refrigeration Pty Ltd",
        "TASMANIASTANDARDTIME",
        "Huonville",
        "TAS",
        "ACCRUALS",
        4,
        2,
        ("FORTNIGHTLY",),
        connected=False,
    ),
    Firm(
        "Top End Pest & Termite Control",
        "AUSCENTRALSTANDARDTIME",
        "Darwin",
        "NT",
        "CASH",
        0,
        0,
        ("WEEKLY",),
        connected=False,
    ),
)

#: How many of what each firm has, in the order of the firms: a profile has as many of them as there are numbers. A
#: reset can set each of these by firm. A firm without staff has no payroll; earnings rates are never fewer than the
#: standard ones.
PROFILES: dict[str, dict[str, tuple[int, ...]]] = {
    "demo": {
        "contacts": (5_412, 483, 61, 38, 24),
        "invoices": (400, 60, 8, 12, 6),
        "staff": (40, 3, 0, 5, 0),
        "earnings_rates": (28, 0, 0, 0, 0),
    },
    "small": {"contacts": (30, 12, 5), "invoices": (40, 12, 4), "staff": (12, 3, 0), "earnings_rates": (0, 0, 0)},
    "big": {
        "contacts": (50_000, 5_412, 483),
        "invoices": (400, 60, 8),
        "staff": (260, 40, 0),
        "earnings_rates": (120, 0, 0),
    },
    # Of as many firms as one asks for, all alike.
    "many": {"contacts": (20,), "invoices": (6,), "staff": (3,), "earnings_rates": (0,)},
}
MANY = "many"
COUNTED = frozenset(PROFILES["demo"])


def firms(profile: str, organisations: int) -> tuple[Firm, ...]:
    """The firms of a profile; of "many" that many. ValueError for a profile that does not exist."""
    if profile not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}")
    if profile != MANY:
        return FIRMS[: len(PROFILES[profile]["contacts"])]
    models = (FIRMS[number % len(FIRMS)] for number in range(organisations))
    return tuple(replace(model, name=f"{model.name} {n:05}", connected=True) for n, model in enumerate(models, 1))


class Books:
    """A firm in the making. Its collections are made when first asked for, so that one may build on another."""

    def __init__(
        self,
        firm: Firm,
        number: int,
        seed: int,
        profile: str,
        sizes: dict[str, int],
        makers: dict[str, tuple[Kind, Maker]],
        same_second: int | str = 0,
    ) -> None:
        self.firm, self.number, self.seed, self.profile, self.sizes = firm, number, seed, profile, sizes
        self.same_second = sizes["contacts"] if same_second == "all" else int(same_second)  # contacts that share one
        self._makers = makers
        self._made: dict[str, Collection] = {}

    def dice(self, purpose: str) -> Dice:
        return Dice(self.seed, self.firm.name, purpose)

    def beyond(self, count: int) -> int:
        """That many more than the standard ones, but none in the profiles of small books."""
        return 0 if self.profile in ("small", MANY) else count

    def collection(self, plural: str) -> Collection:
        if plural not in self._made:
            kind, make = self._makers[plural]
            self._made[plural] = Collection(kind, make(self))
        return self._made[plural]

    def collections(self) -> dict[str, Collection]:
        """All of them, by plural."""
        return {plural: self.collection(plural) for plural in self._makers}


#: Makes up a collection's records: (UpdatedDateUTC in ms, record without it).
Maker = Callable[[Books], Iterable[tuple[int, Record]]]

#: What a module of `xero_sandbox.endpoints` may say under COLLECTIONS.
Collections = tuple[tuple[Kind, Maker], ...]
