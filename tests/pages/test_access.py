"""Nobody reads without Airflow's login, nobody changes without the right, and pages load nothing from elsewhere."""

import re
import uuid
from unittest import mock
from urllib.parse import quote, urlsplit

import pytest
from fastapi.dependencies.utils import get_flat_dependant
from fastapi.routing import APIRoute
from itsdangerous import TimestampSigner

from tests.support.page_runs import run_of, words
from tests.support.pages import Client
from tests.support.pushing import Books, Line

OPEN = "/static/{name}"  # the style and the scripts, which hold nobody's data
EDITORS_PAGES = {
    "/connect",
    "/callback",
    "/match/{token_id}",
    "/rejections",
    "/connections/{id}/delete",
    "/documents/{kind}/{id}/preview",
}


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
    path = path.replace("/events/{id}", "/events/1").replace("/differences/{id}", "/differences/1")
    path = re.sub(r"\{kind\}", "invoices", path)
    path = re.sub(r"\{dag_id\}", "pull_contacts", path)
    return "/xero" + re.sub(r"\{[a-z_]+\}", str(uuid.uuid4()), path)


@pytest.mark.parametrize(("method", "path"), [pair for pair in routes() if pair[1] != OPEN])
def test_every_route_needs_a_login(browser: Client, method: str, path: str) -> None:
    answer = browser(None).request(method, filled(path), follow_redirects=False)
    assert answer.status_code == 401


def test_who_is_not_logged_in_is_told_so_in_style(browser: Client) -> None:
    nobody = browser(None)
    page = nobody.read("events", 401)
    assert "Log in to Airflow first." in words(page)
    loaded = re.findall(r'(?:src|href)="/xero/(static/[^"]+)"', page)
    assert "static/pages.css" in loaded
    for file in loaded:
        nobody.read(file)
    for path in "static/app.py", "static/..%2fapp.py", "static/%00":
        nobody.read(path, 404)


def test_a_bearer_token_beside_a_cookie_excuses_no_form(browser: Client, books: Books) -> None:
    user, program = browser("user"), browser(None)
    token = user.cookies["_token"]
    for client, scheme, status in (
        (user, "Bearer", 403),
        (user, "Basic", 403),
        (program, "Basic", 401),
        (program, "bearer", 422),  # it is let in, and asked for what is missing
    ):
        fields = {"connection": books.connection_id}
        answer = client.post("/xero/synchronise", data=fields, headers={"authorization": f"{scheme} {token}"})
        assert answer.status_code == status, answer.text


def test_a_form_is_good_for_twelve_hours(browser: Client, books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    user, loaded, half_a_day = browser("user"), 1_795_917_600, 12 * 60 * 60
    now = [loaded]
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now[0])
    token = user.form_token()
    for age, status in ((half_a_day, 422), (half_a_day + 1, 403)):  # it is let in, and asked for what is missing
        now[0] = loaded + age
        answer = user.press("synchronise", {"connection": books.connection_id}, form_token=token)
        assert answer.status_code == status, answer.text
    assert "page has expired" in words(answer.text)


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


def test_what_only_editors_see(browser: Client, books: Books, airflow_dags: None) -> None:
    """Every page opens, with the ids of what there is, for those who may see it, and for nobody else."""
    user, editor = browser("user"), browser("op")
    [event] = books.world.query("SELECT min(id) AS id FROM xero_sync.connection_event")
    [linked] = books.world.query(
        "INSERT INTO qicworks.contact (organisation_id, name, push_state, xero_id)"
        " SELECT organisation_id, name, 'pushed', xero_id FROM qicworks.contact"
        " WHERE connection_id = %s AND push_state IS NULL LIMIT 1 RETURNING id",
        books.connection_id,
    )
    ids = {"connections": books.connection_id, "events": event["id"], "documents": books.add("invoices", Line())}
    match = editor.press("connect", {"app": "xero_default"}).headers["location"]
    run = user.press("synchronise", {"connection": books.connection_id, "data_set": "contacts"}).headers["location"]
    dag_id, run_id = run_of(run)

    def real(path: str) -> str:
        if path == "/synchronise/runs":
            return f"{path}?run={dag_id}~{quote(run_id)}"
        if path == "/links/undo":
            return f"{path}?what=contact&own_id={linked['id']}&connection={books.connection_id}"
        if path == "/tie-out.csv":
            return f"{path}?connection={books.connection_id}"
        named = {"name": "pages.css", "kind": "invoices", "dag_id": dag_id, "run_id": quote(run_id)}
        named |= {"token_id": urlsplit(match).path.split("/")[-1], "id": str(ids.get(path.split("/")[1]))}
        return path.format(**named)

    pages = {path for method, path in routes() if method == "GET"}
    assert pages > EDITORS_PAGES
    statuses = {
        role: {path: who.get(f"/xero{real(path)}", follow_redirects=False).status_code for path in pages}
        for role, who in {"user": user, "editor": editor}.items()
    }
    # Let in, and told that nobody has consented to anything, or that there is no log of what ran outside Airflow.
    seen = dict.fromkeys(pages, 200) | {"/events/{id}/log": 404}
    assert statuses["editor"] == seen | {"/callback": 409}
    assert statuses["user"] == seen | dict.fromkeys(EDITORS_PAGES, 403)


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


def test_what_cannot_be_read_is_the_readers_to_mend(browser: Client, books: Books) -> None:
    """Words, and neither a fault of ours nor one of the database's."""
    user = browser("user")
    for path in (
        "events?text=a%00b",
        "events?%00=a",
        "events?before=2026-11-01T00:00:00%2B00:00~99999999999999999999",
        "events.csv?connection=x",
        f"events/{'9' * 5000}",
        f"events/{2**63}",
        "documents?text=%00",
        "documents/%00",
        "synchronise/pull_contacts/%00",
        "synchronise/runs?run=pull_contacts~%00",
    ):
        status = 404 if path == "documents/%00" else 422
        assert "database (" not in words(user.read(path, status)), path
    for path in (
        "events?since=0001-01-01T00:00&zone=Pacific/Auckland",
        "events?until=9999-12-31T23:59&zone=US/Hawaii",
        f"?offset={10**20}",
    ):
        user.read(path)
    for run in "", ".", "..", "../..", "x/taskInstances":
        assert "There is no run" in words(user.read(f"synchronise/runs?run=pull_contacts~{run}", 404))
    for fields, said in (
        ({"kind": "invo\0ices"}, "it contains a NUL character"),
        ({"kind": "invoices", "id": ["x"] * 1001}, "Too many fields"),
    ):
        answer = user.press("documents/push", fields)
        assert answer.status_code == 422
        assert said in words(answer.text)
    headers = {"x-form-token": user.form_token(), "content-type": "multipart/form-data; boundary=a"}
    for path in "documents/push", f"connections/{books.connection_id}/switch":
        answer = user.post(f"/xero/{path}", content=b"--b", headers=headers)
        assert answer.status_code == 422, answer.text
        assert "damaged" in answer.text


def test_a_fault_of_ours_is_no_missing_page(browser: Client, books: Books) -> None:
    """A key that is missing in the code says nothing about the address."""
    user = browser("user")
    for fault in KeyError("secret-key"), IndexError("secret-index"):
        with mock.patch("xero.qicworks.views.event_log.page", side_effect=fault), pytest.raises(type(fault)):
            user.read("events")
    with mock.patch("xero.qicworks.views.event_log.page", side_effect=LookupError("There is no <such> thing.")):
        assert "no &lt;such&gt; thing" in user.read("events", 404)


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
        "period",  # of a tie-out
        *("what", "own_id"),  # of a link that is to be undone
        "first_day",  # of runs: where they lead back
        *("direction", "status", "since", "until", "zone"),  # of events
        *("code", "state", "error", "error_description"),  # from Xero; state of documents, too
    }
