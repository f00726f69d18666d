"""Nobody reads without Airflow's login, nobody changes without the right, and pages load nothing from elsewhere."""

import re
import uuid

import pytest
from fastapi.dependencies.utils import get_flat_dependant
from fastapi.routing import APIRoute

from tests.flow.pushing import Books
from tests.pages.conftest import Client

ALONE_FOR_EDITORS = ("/connect", "/callback")
PARTS_FOR_EDITORS = ("/match/", "/rejections", "/delete", "/preview")


def routes() -> list[tuple[str, str]]:
    from xero.pages.app import application

    found = [
        (method, route.path)
        for route in application().routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods - {"HEAD"})
    ]
    assert len(found) > 15
    return found


def filled(path: str) -> str:
    """With ids that fit, of things that there are not."""
    path = re.sub(r"\{id:int\}", "1", path)
    path = re.sub(r"\{kind\}", "invoices", path)
    path = re.sub(r"\{dag_id\}", "pull_contacts", path)
    return "/xero" + re.sub(r"\{[a-z_]+\}", str(uuid.uuid4()), path)


@pytest.mark.parametrize(("method", "path"), routes())
def test_every_route_needs_a_login(browser: Client, method: str, path: str) -> None:
    answer = browser(None).request(method, filled(path), follow_redirects=False)
    assert answer.status_code == 401


@pytest.mark.parametrize(("method", "path"), [pair for pair in routes() if pair[0] != "GET"])
def test_a_viewer_changes_nothing(browser: Client, books: Books, method: str, path: str) -> None:
    viewer = browser("viewer")
    fields = {"form_token": viewer.form_token(), "app": "xero_app", "organisation": str(uuid.uuid4())}
    fields |= {
        "connection": books.connection_id,
        "data_set": "contacts",
        "kind": "invoices",
        "document": str(uuid.uuid4()),
    }
    answer = viewer.request(method, filled(path), data=fields, follow_redirects=False)
    assert answer.status_code == 403, answer.text


@pytest.mark.parametrize(("method", "path"), [pair for pair in routes() if pair[0] == "GET"])
def test_what_only_editors_see(browser: Client, books: Books, method: str, path: str) -> None:
    answer = browser("user").get(filled(path), follow_redirects=False)
    only = path in ALONE_FOR_EDITORS or any(part in path for part in PARTS_FOR_EDITORS)
    assert (answer.status_code == 403) == only, answer.text


def test_pages_say_where_they_may_be_framed_and_load_from(browser: Client, books: Books) -> None:
    for path in ("", "connections", "events", "documents", "events?status=error"):
        answer = browser("viewer").get(f"/xero/{path}")
        assert answer.status_code == 200, answer.text
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'self'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", answer.text.split("<main", 1)[0])
        assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=", answer.text)


def test_no_address_chooses_more_than_its_route_says() -> None:
    """What a dependency takes, an address can give: a connection's id must not be among it."""
    from xero.pages.app import application

    taken = {
        field.name
        for route in application().routes
        if isinstance(route, APIRoute)
        for field in get_flat_dependant(route.dependant).query_params
    }
    assert taken == {
        *("search", "offset", "connection", "before", "text", "kind", "data_set", "run", "seen", "pace"),
        *("direction", "status", "since", "until", "zone"),  # of events
        *("code", "state", "error", "error_description"),  # from Xero; state of documents, too
    }
