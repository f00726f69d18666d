"""Connect to Xero, match, edit, delete: the pages, from the first button to the last."""

import json
import os
import re
from unittest import mock
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.support.page_runs import words
from tests.support.pages import Browser, Client, allowed, by_consent, to_xero
from tests.support.pushing import Books

SCRIPT = "<script>alert(1)</script> & Sons"


def connections(books: Books) -> dict[str, tuple[str, str]]:
    """Xero organisation → QicWorks organisation and id, of live connections."""
    found = books.world.query(
        "SELECT c.id, tenant_id, o.name FROM xero_sync.connection AS c JOIN qicworks.organisation AS o"
        " ON o.id = organisation_id WHERE c.state <> 'deleted'"
    )
    return {row["tenant_id"]: (row["name"], str(row["id"])) for row in found}


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({"token_keys": None}, "The Xero connection has no token_keys"),
        ({"token_keys": "no-key-at-all"}, "token_keys number 1 is not a Fernet key"),
        ({"scopes": "accounting.contacts"}, "scopes lack offline_access"),
        ({"grant_type": "client_credentials", "token_keys": "no-key-at-all"}, "number 1 is not a Fernet key"),
    ],
)
def test_an_app_that_nobody_can_connect_by_is_not_offered(
    browser: Client, books: Books, extra: dict[str, str | None], says: str
) -> None:
    """It is said before the click, with what to do, and not after it."""
    admin = browser("admin")
    usual = by_consent(books.world)
    lacking = usual | {"extra": usual["extra"] | extra}
    with mock.patch.dict(os.environ, AIRFLOW_CONN_LACKING=json.dumps(lacking)):
        page = admin.read("connect")
        _, _, section = page.partition("Xero app lacking")
        section = section.partition("</section>")[0]
        assert says in words(section)
        assert "connection's extra" in words(section), "what to do"
        assert "<button" not in section
        assert "<button" in page.partition("Xero app xero_app")[2].partition("</section>")[0]
        assert admin.press("connect", {"app": "lacking"}).status_code >= 400, (
            "and refused if it is pressed all the same"
        )


def test_from_the_button_to_the_end(browser: Client, books: Books) -> None:
    world, admin = books.world, browser("admin")
    first, second, third = (world.sandbox.tenant(number) for number in range(3))
    before = connections(books)
    assert set(before) == {first, second, third}
    page = admin.read("connect")
    assert "xero_app" in page
    assert "Connect to Xero" in page
    assert "accounting.contacts" in page
    assert not re.findall(r"<li><code>[^<]*", page), "each permission has a name that office staff know"
    # The host of this page is not the one that Xero sends back to: it says so.
    assert "Log in at http://localhost" in page
    policy = admin.get("/xero/connect").headers["content-security-policy"]
    assert f"form-action 'self' {world.sandbox.url}" in policy

    address = to_xero(admin)
    asked = parse_qs(urlsplit(address).query)
    assert asked["response_type"] == ["code"]
    assert "offline_access" in asked["scope"][0]
    back = admin.get(f"/xero/{allowed(address, first, second)}", follow_redirects=False)
    assert back.status_code == 303, back.text
    match = back.headers["location"].removeprefix("/xero/")
    page = admin.read(match)
    assert page.count("<select") == 2
    assert f"connected to {before[first][0]}" in page.replace("&amp;", "&")

    # The same organisations go on with their history; a wrong choice saves nothing and says what is wrong.
    organisation = {row["name"]: row["id"] for row in world.query("SELECT id, name FROM qicworks.organisation")}
    theirs = organisation[before[first][0]]
    wrong = admin.press(match, {f"organisation:{first}": theirs, f"organisation:{second}": theirs})
    assert wrong.status_code == 409
    assert "is chosen twice" in wrong.text
    said = admin.press(match, {f"organisation:{first}": theirs, f"organisation:{second}": ""})
    assert said.status_code == 303
    page = admin.read(said.headers["location"].removeprefix("/xero/"))
    assert "connected, matched to QicWorks organisation" in page
    assert connections(books) == before

    # Off, and on.
    id = before[first][1]
    assert admin.press(f"connections/{id}/switch", {}).status_code == 303
    assert ">off<" in admin.read("connections")
    assert world.query("SELECT enabled FROM xero_sync.connection WHERE id = %s", id) == [{"enabled": False}]
    admin.press(f"connections/{id}/switch", {"on": "yes"})

    # Another QicWorks organisation: the old pair ends, and keeps its history.
    [made] = world.query("INSERT INTO qicworks.organisation (name) VALUES (%s) RETURNING id", SCRIPT)
    assert admin.press(f"connections/{id}/match", {"organisation": made["id"]}).status_code == 303
    moved, new_id = connections(books)[first]
    assert (moved, new_id != id) == (SCRIPT, True)
    assert ">deleted<" in admin.read(f"connections/{id}")
    for path in ("connections", f"connections/{new_id}", "events", "", f"connections/{new_id}/delete", match):
        page = admin.read(path)
        assert "alert(1)" in page, path
        assert "<script>alert" not in page, path

    # Deleted, after a question; at Xero, too.
    assert "Keep it" in admin.read(f"connections/{new_id}/delete")
    gone = admin.press(f"connections/{new_id}/delete", {})
    assert "was disconnected at Xero" in admin.read(gone.headers["location"].removeprefix("/xero/"))
    assert set(connections(books)) == {second, third}
    assert admin.press(f"connections/{new_id}/delete", {}).status_code == 409


def test_what_comes_back_wrong_says_what_to_do(
    browser: Client, books: Books, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    tenant = books.world.sandbox.tenant(0)
    admin, op, viewer = browser("admin"), browser("op"), browser("viewer")

    def says(answer: str, path: str, who: Browser = admin, status: int = 409) -> None:
        said = words(who.read(path, status))
        assert answer in said
        assert "Connect to Xero" in said or status == 403

    stored = "SELECT count(*) AS count FROM xero_sync.token"
    [before] = books.world.query(stored)
    says("Access was not allowed in Xero", allowed(to_xero(admin), decision="deny"))
    says("not started from here", "callback?state=forged&code=any")
    says("not started from here", "callback?code=any")
    mine = allowed(to_xero(admin), tenant)
    says("another user", mine, op)
    says("right to edit", mine, viewer, status=403)
    assert books.world.query(stored) == [before]
    assert admin.get(f"/xero/{mine}", follow_redirects=False).status_code == 303
    says("already completed", mine)
    assert books.world.query(stored)[0]["count"] == before["count"] + 1
    [code] = parse_qs(urlsplit(mine).query)["code"]
    told = books.world.query("SELECT message || coalesce(correction, '') AS said FROM xero_sync.connection_event")
    assert not [row for row in told if code in row["said"] or "forged" in row["said"]]
    logged = "".join(capfd.readouterr()) + caplog.text
    assert "/xero/callback" in logged, "the access log is not seen here"
    assert not [secret for secret in (code, "forged") if secret in logged]


@pytest.mark.parametrize("token", ["", "forged", "another user's"])
def test_no_other_site_changes_anything(browser: Client, books: Books, token: str) -> None:
    admin, op = browser("admin"), browser("op")
    [[_, id], *_] = connections(books).values()
    given = {"form_token": op.form_token() if token == "another user's" else token} if token else {}
    answer = admin.post(f"/xero/connections/{id}/switch", data=given, follow_redirects=False)
    assert answer.status_code == 403
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        answer = admin.post(
            f"/xero/connections/{id}/switch",
            data={"form_token": admin.form_token()},
            headers=headers,
            follow_redirects=False,
        )
        assert (answer.status_code, "another site" in answer.text) == (403, True)
    assert books.world.query("SELECT enabled FROM xero_sync.connection WHERE id = %s", id) == [{"enabled": True}]
    # A proxy changes the Host; a browser says itself that it is on our page.
    for headers in (
        {"sec-fetch-site": "same-origin", "origin": "https://books.example"},
        {"origin": "http://airflow.test"},
    ):
        answer = admin.post(
            f"/xero/connections/{id}/switch",
            data={"form_token": admin.form_token(), "on": "yes"},
            headers={**headers, "host": "upstream:8080"},
            follow_redirects=False,
        )
        assert answer.status_code == 303


def test_only_our_own_words_are_shown_after_a_form(browser: Client, books: Books) -> None:
    admin = browser("admin")
    assert "send your password" not in admin.read("connections?said=send+your+password")
    [[_, id], *_] = connections(books).values()
    place = admin.press(f"connections/{id}/switch", {"on": "yes"}).headers["location"]
    assert re.search(r"said=[\w.-]+$", unquote(place))
    assert "is switched on" in admin.read(place.removeprefix("/xero/"))
