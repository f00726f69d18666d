"""Grants, rotation, grace, consent, connections, and the shapes of their refusals."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.support.sandbox import CLIENT
from xero_sandbox.launch import launched
from xero_sandbox.server import SECRET, arguments
from xero_sandbox.tokens import SCOPES

REDIRECT = "http://localhost:8080/back"
SCOPE = "offline_access openid accounting.contacts.read accounting.settings.read"


def consent(sandbox: Any, scope: str = SCOPE, **how: Any) -> str:
    code: str = sandbox.control("POST", "authorise", {"scope": scope, "redirect_uri": REDIRECT, **how})["code"]
    return code


def redeem(sandbox: Any, code: str, redirect: str = REDIRECT) -> requests.Response:
    answer: requests.Response = sandbox.grant(grant_type="authorization_code", code=code, redirect_uri=redirect)
    return answer


def refresh(sandbox: Any, token: str) -> requests.Response:
    answer: requests.Response = sandbox.grant(grant_type="refresh_token", refresh_token=token)
    return answer


def error(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def detail(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["Detail"]


def forward(sandbox: Any, seconds: float) -> None:
    offset = sandbox.control("GET", "clock")["offset_seconds"]
    sandbox.control("PUT", "clock", {"offset_seconds": offset + seconds})


def test_code_works_once_and_for_five_minutes(sandbox: Any) -> None:
    code = consent(sandbox)
    answer = redeem(sandbox, code).json()
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 1800, SCOPE)
    assert answer["access_token"].count(".") == answer["id_token"].count(".") == 2
    assert error(redeem(sandbox, code)) == (400, "invalid_grant")
    assert error(redeem(sandbox, consent(sandbox), "http://localhost:1/other")) == (400, "invalid_grant")
    late = consent(sandbox)
    forward(sandbox, 301)
    assert error(redeem(sandbox, late)) == (400, "invalid_grant")


def test_without_offline_access_no_refresh_token(sandbox: Any) -> None:
    assert "refresh_token" not in redeem(sandbox, consent(sandbox, "accounting.contacts")).json()


@pytest.mark.parametrize("auth", [None, ("demo-client", "wrong"), ("other", "demo-secret-0000000000000000")])
def test_the_app_must_sign_in(sandbox: Any, auth: Any) -> None:
    assert error(sandbox.grant(auth, grant_type="client_credentials")) == (400, "invalid_client")
    assert sandbox.session.post(f"{sandbox.url}/connect/revocation", data={"token": "x"}, auth=auth).status_code == 400


def test_its_secret_is_given_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, "-s3cret by environment")
    with launched("--profile", "small") as url:
        for secret, code in (("-s3cret by environment", 200), (CLIENT[1], 400)):
            form = {"grant_type": "client_credentials"}
            answer = requests.post(f"{url}/connect/token", data=form, auth=(CLIENT[0], secret), timeout=10)
            assert answer.status_code == code
    monkeypatch.setenv(SECRET, "")
    assert arguments([]).client_secret == CLIENT[1], "nothing given: the known one"


def test_scopes_and_grants_that_do_not_exist(sandbox: Any) -> None:
    broad = {"grant_type": "client_credentials", "scope": "accounting.transactions"}
    assert error(sandbox.grant(**broad)) == (400, "invalid_scope")
    for_users = {"grant_type": "client_credentials", "scope": "offline_access accounting.contacts"}
    assert error(sandbox.grant(**for_users)) == (400, "invalid_scope")
    assert error(sandbox.grant(grant_type="password")) == (400, "unsupported_grant_type")
    assert "accounting.contacts.read" in SCOPES


def test_rotation_and_grace(sandbox: Any) -> None:
    first = redeem(sandbox, consent(sandbox)).json()["refresh_token"]
    lost = refresh(sandbox, first).json()["refresh_token"]  # this answer never arrives, so the first is tried again
    again = refresh(sandbox, first)
    assert again.status_code == 200
    second = again.json()["refresh_token"]
    assert len({first, lost, second}) == 3
    assert refresh(sandbox, second).status_code == 200
    assert error(refresh(sandbox, first)) == (400, "invalid_grant")  # a newer one has been used


def test_grace_ends_after_half_an_hour(sandbox: Any) -> None:
    first = redeem(sandbox, consent(sandbox)).json()["refresh_token"]
    assert refresh(sandbox, first).status_code == 200
    forward(sandbox, 1790)
    assert refresh(sandbox, first).status_code == 200
    forward(sandbox, 20)
    assert error(refresh(sandbox, first)) == (400, "invalid_grant")


def test_an_idle_refresh_token_dies_after_60_days(sandbox: Any) -> None:
    kept, idle = (redeem(sandbox, consent(sandbox)).json()["refresh_token"] for _ in range(2))
    forward(sandbox, 40 * 86_400)
    kept = refresh(sandbox, kept).json()["refresh_token"]
    forward(sandbox, 40 * 86_400)
    assert refresh(sandbox, kept).status_code == 200
    assert error(refresh(sandbox, idle)) == (400, "invalid_grant")


def test_access_tokens_expire(sandbox: Any) -> None:
    assert sandbox.get("Accounts").status_code == 200
    forward(sandbox, 1801)
    status, said = detail(sandbox.get("Accounts"))
    assert status == 401
    assert said.startswith("TokenExpired: token expired at ")
    sandbox.settings(access_token_seconds=60)
    assert sandbox.grant(grant_type="client_credentials").json()["expires_in"] == 60


def test_refusals_on_the_way_in(sandbox: Any) -> None:
    assert detail(sandbox.get("Accounts", tenant="")) == (403, "AuthenticationUnsuccessful")
    assert detail(sandbox.get("Accounts", tenant="00000000-0000-0000-0000-000000000000"))[0] == 403
    good = sandbox.token
    sandbox.token = sandbox.grant(grant_type="client_credentials", scope="accounting.contacts").json()["access_token"]
    assert sandbox.get("Contacts", page=1).status_code == 200
    assert detail(sandbox.get("Accounts")) == (401, "AuthorizationUnsuccessful")
    for broken in ("", "nonsense", good[:-4] + "AAAA"):
        sandbox.token = broken
        assert detail(sandbox.get("Accounts")) == (401, "AuthenticationUnsuccessful")
        assert sandbox.get("/connections").status_code == 401


def test_unknown_paths(sandbox: Any) -> None:
    for path in ("/api.xro/2.0/Nothing", "/elsewhere", "Contacts/11111111-1111-1111-1111-111111111111"):
        answer = sandbox.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["Content-Type"].startswith("text/plain")
    assert sandbox.session.patch(f"{sandbox.url}/api.xro/2.0/Contacts").status_code == 501


def test_connections_and_disconnecting(sandbox: Any) -> None:
    connections = sandbox.get("/connections", tenant="").json()
    assert [c["tenantName"] for c in connections] == [o["name"] for o in sandbox.organisations]
    event = connections[1]["authEventId"]
    assert sandbox.get("/connections", authEventId=event).json() == [connections[1]]
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    url = f"{sandbox.url}/connections/"
    assert sandbox.session.delete(url + connections[0]["tenantId"], headers=headers).status_code == 404
    assert sandbox.session.delete(url + connections[0]["id"], headers=headers).status_code == 204
    assert detail(sandbox.get("Accounts")) == (403, "AuthenticationUnsuccessful")
    assert sandbox.get("Accounts", tenant=1).status_code == 200


def test_revocation_ends_all_of_the_users_connections(sandbox: Any) -> None:
    token = redeem(sandbox, consent(sandbox)).json()
    sandbox.token = token["access_token"]
    assert len(sandbox.get("/connections").json()) == 3
    url = f"{sandbox.url}/connect/revocation"
    auth = ("demo-client", "demo-secret-0000000000000000")
    assert sandbox.session.post(url, data={"token": token["refresh_token"]}, auth=auth).status_code == 200
    assert sandbox.get("/connections").status_code == 401
    assert error(refresh(sandbox, token["refresh_token"])) == (400, "invalid_grant")
    assert list(sandbox.control("GET", "connections")) == ["app"]


def authorize(sandbox: Any, method: str = "GET", data: Any = None, **changes: str) -> requests.Response:
    params = {
        "response_type": "code",
        "client_id": "demo-client",
        "redirect_uri": REDIRECT,
        "scope": SCOPE,
        "state": "s&1",
    }
    url = f"{sandbox.url}/identity/connect/authorize"
    answer: requests.Response = sandbox.session.request(
        method, url, params={**params, **changes}, data=data, allow_redirects=False
    )
    return answer


def test_consent_page(sandbox: Any) -> None:
    page = authorize(sandbox)
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert "$" not in page.text
    assert page.text.count('type="checkbox"') == page.text.count('<label for="') - 2 == len(sandbox.organisations)
    assert all(f'id="{organisation["tenant"]}"' in page.text for organisation in sandbox.organisations)
    assert all(f"<code>{scope}</code>" in page.text for scope in SCOPE.split())
    assert "localhost:8080" in page.text
    assert "<span>connected</span>" not in page.text

    nothing = authorize(sandbox, "POST", {"decision": "approve"})
    assert (nothing.status_code, "Choose an organisation." in nothing.text) == (200, True)
    denied = urlsplit(authorize(sandbox, "POST", {"decision": "deny"}).headers["Location"])
    assert parse_qs(denied.query) == {"error": ["access_denied"], "state": ["s&1"]}
    assert list(sandbox.control("GET", "connections")) == ["app"]

    assert tenants_after_consent(sandbox, 1) == [sandbox.tenant(1)]
    assert tenants_after_consent(sandbox, 0, 2) == [sandbox.tenant(1), sandbox.tenant(0), sandbox.tenant(2)]
    assert authorize(sandbox).text.count("<span>connected</span>") == 3


def tenants_after_consent(sandbox: Any, *chosen: int) -> list[str]:
    """Ticks these organisations; all that the user has connected by then."""
    form = [("tenant", sandbox.tenant(number)) for number in chosen]
    address = urlsplit(authorize(sandbox, "POST", [*form, ("decision", "approve")]).headers["Location"])
    answer = parse_qs(address.query)
    assert (address.netloc, answer["state"]) == ("localhost:8080", ["s&1"])
    token = redeem(sandbox, answer["code"][0]).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    listed = sandbox.session.get(f"{sandbox.url}/connections", headers=headers).json()
    new = {one["tenantId"] for one in listed if one["authEventId"] == listed[-1]["authEventId"]}
    assert new == {sandbox.tenant(number) for number in chosen}
    return [one["tenantId"] for one in listed]


def test_some_organisations_wait_for_a_users_consent(sandbox: Any) -> None:
    sandbox.reset(profile="demo", contacts={"Harbour & Sons Plumbing Pty Ltd": 30})
    assert [len(sandbox.organisations), len(sandbox.waiting)] == [3, 2]
    reached = [one["tenantId"] for one in sandbox.get("/connections").json()]
    assert reached == [sandbox.tenant(number) for number in range(3)]
    one, other = sandbox.waiting
    assert detail(sandbox.get("Accounts", tenant=one["tenant"])) == (403, "AuthenticationUnsuccessful")
    consent(sandbox, tenants=[one["tenant"]])
    connected = [organisation["connected"] for organisation in sandbox.control("GET", "organisations")]
    assert connected == [["app"], ["app"], ["app"], ["user"], []]
    assert {one["payroll"], other["payroll"]} == {True, False}


def test_connecting_again_renews_the_connection(sandbox: Any) -> None:
    sandbox.token = redeem(sandbox, consent(sandbox)).json()["access_token"]
    before = sandbox.get("/connections").json()
    forward(sandbox, 60)
    consent(sandbox, tenants=[sandbox.tenant(0)])
    after = sandbox.get("/connections").json()
    assert after[1:] == before[1:]
    assert (after[0]["id"], after[0]["createdDateUtc"]) == (before[0]["id"], before[0]["createdDateUtc"])
    assert after[0]["updatedDateUtc"] > before[0]["updatedDateUtc"]
    assert after[0]["authEventId"] != before[0]["authEventId"]


def test_wrong_apps_are_sent_nowhere(sandbox: Any) -> None:
    for wrong in (
        {"client_id": "other"},
        {"redirect_uri": "http://127.0.0.1/x"},
        {"redirect_uri": "http://evil.test/"},
    ):
        answer = authorize(sandbox, **wrong)
        assert (answer.status_code, "Location" in answer.headers) == (400, False)
        assert answer.headers["X-Frame-Options"] == "DENY"
    assert "error=invalid_scope" in authorize(sandbox, scope="accounting.transactions").headers["Location"]
