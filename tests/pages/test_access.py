"""Nobody reads without Airflow's login, nobody changes without the right, and no other site does it in their name."""

import pytest
from starlette.routing import Route

from tests.flow.pushing import Books
from tests.pages.conftest import Client


def routes() -> list[tuple[str, str]]:
    from xero.pages.app import application

    found = [
        (method, route.path)
        for route in application().routes
        if isinstance(route, Route)
        for method in sorted(route.methods or ())
        if method != "HEAD"
    ]
    assert found
    return found


@pytest.mark.parametrize(("method", "path"), routes())
def test_every_route_needs_a_login(browser: Client, method: str, path: str) -> None:
    answer = browser(None).request(method, f"/xero{path}", follow_redirects=False)
    assert answer.status_code == 401


def test_pages_say_where_they_may_be_framed_and_load_from(browser: Client, books: Books) -> None:
    answer = browser("viewer").get("/xero/connections")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert "https://" not in answer.text.split("<main", 1)[0]
