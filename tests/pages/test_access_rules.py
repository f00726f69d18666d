"""Who may see and do what, rule by rule, without a server: what Airflow allows, and no request from another site."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI, HTTPException, Request
from starlette.testclient import TestClient

from xero import dag_ids
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.pages import access
from xero.pages.access import Viewer

DAGS = dag_ids.on_pages()

USER = type("User", (), {"get_id": lambda self: 7, "get_name": lambda self: "Kiri Ng"})()
OTHER = type("User", (), {"get_id": lambda self: 8, "get_name": lambda self: "Bob"})()
NOON = 1_800_000_000


@dataclass
class Manager:
    """Airflow's, which allows this and nothing else."""

    readable: frozenset[str] = frozenset()
    edits: bool = False
    triggers: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    def filter_authorized_dag_ids(self, *, dag_ids: set[str], user: Any, method: str) -> set[str]:
        assert (dag_ids, user, method) == (set(DAGS), USER, "GET")
        return dag_ids & self.readable

    def is_authorized_connection(self, *, method: str, details: Any, user: Any) -> bool:
        return self.edits and (method, details.conn_id, user) == ("PUT", "xero_default", USER)

    def is_authorized_dag(self, *, method: str, access_entity: Any, details: Any, user: Any) -> bool:
        assert (method, access_entity, user) == ("POST", DagAccessEntity.RUN, USER)
        self.asked.append(details.id)
        return details.id in self.triggers


@pytest.fixture(autouse=True)
def manager(monkeypatch: pytest.MonkeyPatch) -> Manager:
    monkeypatch.setenv("AIRFLOW__API__SECRET_KEY", "a key of these tests")
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/base")
    monkeypatch.setattr("time.time", lambda: NOON)
    manager = Manager()
    monkeypatch.setattr(access, "get_auth_manager", lambda: manager)
    return manager


def who(*readable: str, may_edit: bool = False) -> Viewer:
    return Viewer(USER, frozenset(readable), may_edit)


def test_the_dags_that_people_ask_about() -> None:
    files = {path.stem for path in (Path(__file__).parents[2] / "dags").glob("*.py")}
    assert files - DAGS == {"digest", "measure", "prune"}
    assert files >= DAGS


def test_whoever_may_read_none_of_the_dags_sees_nothing(manager: Manager) -> None:
    manager.edits = True
    with pytest.raises(HTTPException, match="You do not have access to this page") as refused:
        access.viewer(USER)
    assert refused.value.status_code == 403
    manager.readable = frozenset({"reconcile"})
    assert access.viewer(USER) == who("reconcile", may_edit=True)
    manager.edits = False
    seen = access.viewer(USER)
    assert (seen, seen.may_edit, seen.id, seen.name) == (who("reconcile"), False, "7", "Kiri Ng")


def test_what_may_be_read_follows_from_the_dags() -> None:
    some = who("pull_staff", "pull_contacts", "push_payroll", "push_bills", "reconcile")
    assert some.data_sets == [name for name in DATASETS if name in ("staff", "contacts")]
    assert some.kinds == [name for name in KINDS if name in ("payroll", "bills")]
    assert some.event_scope == {("pull", "staff"), ("pull", "contacts"), ("push", "payroll"), ("push", "bills")}
    assert who("reconcile").event_scope == frozenset()
    for left_out in DAGS:
        assert who(*(DAGS - {left_out})).event_scope is not None
    assert who(*DAGS, "another").event_scope is None
    everything = who(*DAGS)
    assert (everything.data_sets, everything.kinds, everything.event_scope) == (list(DATASETS), list(KINDS), None)


def test_only_who_may_edit_xero_s_connections_is_an_editor() -> None:
    editor = who("reconcile", may_edit=True)
    assert access.editor(editor) is editor
    with pytest.raises(HTTPException, match="the right to edit Airflow's connections") as refused:
        access.editor(who(*DAGS))
    assert refused.value.status_code == 403


def test_each_dag_by_its_own_right(manager: Manager) -> None:
    viewer = who("pull_staff")
    access.reading(viewer, "pull_staff")
    manager.triggers = frozenset({"push_bills"})
    access.triggering(viewer, "push_bills")
    assert viewer.may_trigger("push_bills") is True
    assert viewer.may_trigger("pull_staff") is False
    assert viewer.may_trigger_any(["pull_staff", "push_bills", "pull_contacts"])
    assert not viewer.may_trigger_any(["pull_staff", "pull_contacts"])
    assert not viewer.may_trigger_any([])
    assert set(manager.asked) == {"pull_staff", "push_bills", "pull_contacts"}
    for refuse in (access.reading, access.triggering):
        with pytest.raises(HTTPException, match="pull_contacts") as refused:
            refuse(viewer, "pull_contacts")
        assert refused.value.status_code == 403


# -- requests


def request(
    method: str = "POST",
    path: str = "/xero/x",
    query: str = "",
    form: Any = (),
    body: bytes | None = None,
    **headers: str,
) -> Request:
    """A request as a browser sends it, of the page at https://airflow.example unless `headers` say otherwise."""
    body = urlencode(form).encode() if body is None else body
    sent = {"host": "airflow.example", "content_type": "application/x-www-form-urlencoded", **headers}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(
        {
            "type": "http", "method": method, "path": path, "query_string": query.encode(), "scheme": "https",
            "server": ("airflow.example", 443),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()],
        },
        receive,
    )  # fmt: skip


def refusal(checked: Awaitable[None]) -> tuple[int, str] | None:
    async def check() -> None:
        await checked

    try:
        asyncio.run(check())
    except HTTPException as refused:
        return refused.status_code, str(refused.detail)
    return None


def forged(user: Any = USER, **how: Any) -> str | None:
    """What it is refused with, None when it goes through; the form carries a good token unless told."""
    form = how.pop("form", {"form_token": access.form_token(USER)})
    found = refusal(access.not_forged(request(form=form, **how), user))
    assert found is None or found[0] == 403
    return found and found[1]


OTHER_SITE = "This request comes from another site. Use the buttons on this page."
TOO_OLD = "This page has expired. Reload it and try again."


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, None),  # an old browser says nothing of where it comes from: the token decides
        ({"sec_fetch_site": "same-origin"}, None),
        ({"sec_fetch_site": "same-origin", "origin": "https://elsewhere.example"}, None),
        ({"sec_fetch_site": "cross-site"}, OTHER_SITE),
        ({"sec_fetch_site": "same-site"}, OTHER_SITE),
        ({"sec_fetch_site": "none"}, OTHER_SITE),
        ({"origin": "https://airflow.example"}, None),
        ({"origin": "https://elsewhere.example"}, OTHER_SITE),
        ({"origin": "null"}, OTHER_SITE),
        # A proxy put another Host in front: what Airflow says of itself counts as well.
        ({"origin": "https://airflow.example", "host": "10.0.0.1"}, None),
        ({"origin": "https://proxied.example", "host": "proxied.example"}, None),
        ({"origin": "https://elsewhere.example", "host": "10.0.0.1"}, OTHER_SITE),
    ],
)
def test_a_request_from_another_site_is_refused_with_any_token(headers: dict[str, str], refused: str | None) -> None:
    assert forged(**headers) == refused


def test_where_airflow_has_no_address_of_its_own_the_host_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW__API__BASE_URL")
    assert forged(origin="https://airflow.example") is None
    for elsewhere in ("https://elsewhere.example", "https://airflow.example.elsewhere", "null"):
        assert forged(origin=elsewhere) == OTHER_SITE


def test_what_changes_nothing_needs_no_token() -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        assert forged(method=method, form={}, sec_fetch_site="cross-site") is None
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert forged(method=method, form={}) == TOO_OLD


def test_a_bearer_without_a_cookie_is_no_browser() -> None:
    assert forged(form={}, authorization="Bearer x", sec_fetch_site="cross-site") is None
    assert forged(form={}, authorization="bearer x") is None
    assert forged(form={}, authorization="Basic x") == TOO_OLD
    assert forged(form={}, authorization="Bearer x", cookie="_token=y") == TOO_OLD
    assert forged(form={}, cookie="_token=y") == TOO_OLD


def test_a_token_is_one_user_s_and_of_this_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    token = access.form_token(USER)
    assert forged(form={}, x_form_token=token) is None
    assert forged(form={"form_token": "x"}, x_form_token=token) is None, "htmx sends it as a header"
    assert forged(user=OTHER) == "This page was made for another user. Reload it."
    for wrong in ("", "x", token[:-1], token + "x"):
        assert forged(form={"form_token": wrong}) == TOO_OLD
    monkeypatch.setenv("AIRFLOW__API__SECRET_KEY", "another key")
    assert forged(form={"form_token": token}) == TOO_OLD


def test_a_page_may_stay_open_for_twelve_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    token = access.form_token(USER)
    for seconds, refused in ((12 * 3600, None), (12 * 3600 + 1, TOO_OLD)):
        monkeypatch.setattr("time.time", lambda passed=seconds: NOON + passed)
        assert forged(form={"form_token": token}) == refused


def test_a_salt_of_its_own_keeps_other_tokens_of_airflow_out() -> None:
    from itsdangerous import URLSafeTimedSerializer

    signed_elsewhere = URLSafeTimedSerializer("a key of these tests").dumps("7")
    assert forged(form={"form_token": signed_elsewhere}) == TOO_OLD


NUL = {
    "path": {"path": "/xero/a\0b"},
    "name of a parameter": {"query": "a%00=1"},
    "parameter": {"query": "ok=1&a=%00"},
    "name of a field": {"form": {"a\0": "1"}},
    "field": {"form": {"ok": "1", "a": "x\0"}},
}


@pytest.mark.parametrize("where", NUL)
def test_what_no_database_can_hold_is_refused_wherever_it_is(where: str) -> None:
    found = refusal(access.legible(request(**NUL[where])))
    assert found
    assert found[0] == 422
    if "form" not in NUL[where]:
        assert refusal(access.legible(request("GET", **NUL[where]))) == found


def test_what_can_be_read_goes_through() -> None:
    assert refusal(access.legible(request(query="a=1&b=%01", form={"a": "é"}))) is None
    assert refusal(access.legible(request("GET", form={"a": "\0"}))) is None, "a GET has no form"


def test_the_fields_of_a_form() -> None:
    async def read() -> dict[str, str]:
        return await access.fields(request(form=[("a", "1"), ("b", "x y")]))

    assert asyncio.run(read()) == {"a": "1", "b": "x y"}


FILE = (
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--x\r\nContent-Disposition: form-data; name="b"; filename="b.txt"\r\n\r\nfile\r\n--x--\r\n'
)


def test_a_file_in_a_form_is_no_field_of_it() -> None:
    """No page of ours takes one; what it holds is neither read nor in the way."""
    sent: dict[str, Any] = {"body": FILE, "content_type": "multipart/form-data; boundary=x"}

    async def read() -> dict[str, str]:
        return await access.fields(request(**sent))

    assert asyncio.run(read()) == {"a": "1"}
    assert refusal(access.legible(request(**sent))) is None


# -- as FastAPI calls them


@pytest.mark.parametrize(
    ("readable", "edits", "status"),
    [((), True, (403, 403)), (("reconcile",), False, (200, 403)), (DAGS, True, (200, 200))],
)
def test_a_page_is_made_only_for_whom_it_asks_for(
    manager: Manager, readable: Any, edits: bool, status: tuple[int, int]
) -> None:
    app = FastAPI()

    @app.post("/viewer")
    async def page(viewer: access.ViewerDep, fields: access.FieldsDep) -> list[Any]:
        return [viewer.name, fields]

    @app.post("/editor")
    async def page_of_editors(editor: access.EditorDep) -> str:
        return editor.id

    app.dependency_overrides[get_user] = lambda: USER
    manager.readable, manager.edits = frozenset(readable), edits
    browser = TestClient(app)
    viewer, editor = (browser.post(path, data={"a": "1"}) for path in ("/viewer", "/editor"))
    assert (viewer.status_code, editor.status_code) == status
    assert viewer.status_code == 403 or viewer.json() == ["Kiri Ng", {"a": "1"}]
    assert editor.status_code == 403 or editor.json() == "7"
