"""The pages behind FAB, the auth manager of larger installations: its login, its cookie, its roles."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.cluster import Ring
from tests.support.fab import PATIENCE, Fab

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

PAGES = ("", "connections", "connections/{connection}", "synchronise", "events", "documents", "documents?kind=payroll")
EDITORS_PAGES = ("connect", "rejections", "connections/{connection}/delete")
CHANGES = {
    "connect": {"app": "xero_app"},
    "connections/{connection}/switch": {},
    "connections/{connection}/delete": {},
    "synchronise": {"connection": "{connection}", "data_set": "tax_codes"},
    "documents/push": {"kind": "invoices", "id": "{document}"},
}


@pytest.fixture(scope="module")
def fab(ring: Ring) -> Fab:
    fab = Fab(ring.place)
    fab.make("viewer", "Viewer")
    return fab


@pytest.fixture(scope="module")
def ids(ring: Ring) -> dict[str, str]:
    """What the addresses name."""
    smallest = ring.organisations()[-1]["tenant"]
    [connection] = ring.query("SELECT * FROM xero_sync.connection WHERE tenant_id = %s", smallest)
    [document] = ring.query(
        "SELECT id FROM qicworks.invoice WHERE organisation_id = %s AND push_state = 'failed' LIMIT 1",
        connection["organisation_id"],
    )
    return {"connection": str(connection["id"]), "document": str(document["id"])}


class Pages:
    """The pages as one session sees them."""

    def __init__(self, fab: Fab, session: requests.Session, ids: dict[str, str]) -> None:
        self.url = f"{fab.place.ui}/xero"
        self.session = session
        self.ids = ids

    def get(self, path: str) -> requests.Response:
        url = path if path.startswith("http") else f"{self.url}/{path.format(**self.ids)}"
        return self.session.get(url, timeout=PATIENCE, allow_redirects=False)

    def press(self, path: str, fields: dict[str, str]) -> requests.Response:
        """A form, with what every page of this user's bears."""
        [token] = set(re.findall(r'"x-form-token": "([^"]+)"', self.get("").text))
        data = {"form_token": token, **{name: value.format(**self.ids) for name, value in fields.items()}}
        return self.session.post(
            f"{self.url}/{path.format(**self.ids)}", data=data, timeout=PATIENCE, allow_redirects=False
        )


def test_an_admin_connects_and_synchronises(ring: Ring, fab: Fab, ids: dict[str, str]) -> None:
    for session in (fab.login("admin"), fab.bearer("admin")):
        pages = Pages(fab, session, ids)
        assert {path: pages.get(path).status_code for path in (*PAGES, *EDITORS_PAGES)} == dict.fromkeys(
            (*PAGES, *EDITORS_PAGES), 200
        )
    pages = Pages(fab, fab.login("admin"), ids)
    match = consents(ring, pages)
    assert "Huon Valley Refrigeration Pty Ltd" in match

    began = pages.press("synchronise", CHANGES["synchronise"])
    assert began.status_code == 303, began.text
    dag_id, run_id = urlsplit(began.headers["location"]).path.split("/")[-2:]
    assert "Pull: Tax codes" in pages.get(f"synchronise/{dag_id}/{run_id}").text
    assert ring.state(requests.utils.unquote(run_id), dag_id=dag_id) == "success"


def consents(ring: Ring, pages: Pages) -> str:
    """To Xero and back, up to the page that asks which organisation is which; nothing of it is kept."""
    before: set[Any] = {row["id"] for row in ring.query("SELECT id FROM xero_sync.token")}
    to_xero = pages.press("connect", CHANGES["connect"])
    assert to_xero.status_code == 303, to_xero.text
    [waiting] = [one for one in ring.sandbox("GET", "organisations") if one["name"].startswith("Huon")]
    consent = {"decision": "approve", "tenant": waiting["tenant"]}
    back = requests.post(to_xero.headers["location"], data=consent, timeout=PATIENCE, allow_redirects=False)
    assert back.headers["location"].startswith(pages.url)
    called = pages.get(back.headers["location"])
    assert called.status_code == 303, called.text
    match = pages.get(pages.url.removesuffix("/xero") + called.headers["location"])
    assert match.status_code == 200
    for connection in ring.sandbox("GET", "connections")["user"]:
        ring.sandbox("DELETE", f"connections/{connection['id']}")
    after = {row["id"] for row in ring.query("SELECT id FROM xero_sync.token")}
    [token] = after - before
    ring.query("DELETE FROM xero_sync.token WHERE id = %s RETURNING id", token)
    return match.text


def test_a_viewer_reads_and_changes_nothing(fab: Fab, ids: dict[str, str]) -> None:
    pages = Pages(fab, fab.login("viewer"), ids)
    assert {path: pages.get(path).status_code for path in PAGES} == dict.fromkeys(PAGES, 200)
    assert {path: pages.get(path).status_code for path in EDITORS_PAGES} == dict.fromkeys(EDITORS_PAGES, 403)
    assert {path: pages.press(path, given).status_code for path, given in CHANGES.items()} == dict.fromkeys(
        CHANGES, 403
    )


def test_nobody_sees_anything(fab: Fab, ids: dict[str, str]) -> None:
    pages = Pages(fab, fab.nobody(), ids)
    everything = (*PAGES, *EDITORS_PAGES)
    assert {path: pages.get(path).status_code for path in everything} == dict.fromkeys(everything, 401)
    changed = {path: fab.nobody().post(f"{pages.url}/{path.format(**ids)}", timeout=PATIENCE) for path in CHANGES}
    assert {path: answer.status_code for path, answer in changed.items()} == dict.fromkeys(CHANGES, 401)
