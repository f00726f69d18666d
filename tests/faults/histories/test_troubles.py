"""Every kind of document through every trouble, and a restart within and beyond the time for which keys are kept."""

from itertools import product
from typing import Any

import pytest

from tests.support.pushing import PRICED, Books
from tests.support.troubles import TROUBLES, fill, lead_through

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

SERVERS: dict[str, dict[str, Any]] = {
    "as usual": {},
    "that answers in another order": {"element_order": "reversed"},
    "that keeps no addresses": {"urls_kept": False},
    "with many pages, refusals last": {"max_page_size": 1, "element_order": "errors_last"},
}


# Every kind at a server as usual; another sort of server is another kind's.
PAIRS = [*product(["as usual"], PRICED), *zip([name for name in SERVERS if name != "as usual"], PRICED, strict=False)]


@pytest.mark.parametrize(("server", "kind"), PAIRS)
def test_each_trouble(books: Books, server: str, kind: str) -> None:
    books.world.sandbox.settings(**SERVERS[server])
    for beyond in (False, True):
        for name, trouble in TROUBLES.items():
            print(name, "beyond" if beyond else "within")  # shown where it fails
            fill(books, kind)
            lead_through(books, kind, trouble, beyond=beyond)
            assert {row["push_state"] for row in books.rows(kind)} == {"pushed"}, books.rows(kind)[-2:]
    books.assert_once()
