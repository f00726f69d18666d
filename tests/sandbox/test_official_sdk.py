"""Every answer is read by xero-python, Xero's own library, so that the sandbox stays like the real thing."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.exceptions import HTTPStatusException
from xero_python.identity import IdentityApi


@pytest.fixture
def client(sandbox: Any) -> ApiClient:
    token = {
        "access_token": sandbox.token,
        "expires_in": 1800,
        "token_type": "Bearer",
        "scope": [],
        "refresh_token": "-",
    }
    return ApiClient(
        Configuration(oauth2_token=OAuth2Token(client_id="demo-client", client_secret="-")),
        oauth2_token_getter=lambda: token,
        oauth2_token_saver=lambda _: None,
    )


@pytest.fixture
def accounting(sandbox: Any, client: ApiClient) -> AccountingApi:
    return AccountingApi(client, base_url=f"{sandbox.url}/api.xro/2.0")


@pytest.fixture
def demo(sandbox: Any) -> Any:
    sandbox.reset(profile="demo", contacts={"Harbour & Sons Plumbing Pty Ltd": 700})
    sandbox.settings(limits=False)
    # A user's consent reaches all of them, the app's own only some.
    code = sandbox.control("POST", "authorise", {"redirect_uri": "https://localhost/back"})["code"]
    answer = sandbox.grant(grant_type="authorization_code", code=code, redirect_uri="https://localhost/back").json()
    sandbox.token = answer["access_token"]
    sandbox.organisations += sandbox.waiting
    return sandbox


def test_connections(sandbox: Any, client: ApiClient) -> None:
    connections = IdentityApi(client, base_url=sandbox.url).get_connections()
    assert [c.tenant_id for c in connections] == [o["tenant"] for o in sandbox.organisations]
    assert {c.tenant_type for c in connections} == {"ORGANISATION"}


def test_organisation(demo: Any, accounting: AccountingApi) -> None:
    zones = []
    for organisation in demo.organisations:
        (record,) = accounting.get_organisations(organisation["tenant"]).organisations
        assert record.name == organisation["name"]
        assert record.base_currency.value == "AUD"
        zones.append(record.timezone.value)
    assert len(set(zones)) == len(zones) == 5


def test_contacts_of_all_organisations(demo: Any, accounting: AccountingApi) -> None:
    for number, organisation in enumerate(demo.organisations):
        seen = []
        for page in range(1, 20):
            answer = accounting.get_contacts(
                organisation["tenant"], page=page, page_size=250, include_archived=True, order="UpdatedDateUTC ASC"
            )
            seen += answer.contacts
            if page >= answer.pagination.page_count:
                break
        truth = {row["ContactID"]: row for row in demo.truth("Contacts", number)}
        assert {contact.contact_id for contact in seen} == set(truth)
        assert len(seen) == len(truth) == answer.pagination.item_count > 20
        assert all(contact.name == truth[contact.contact_id]["Name"] for contact in seen)
        assert {"ACTIVE", "ARCHIVED"} == {contact.contact_status for contact in seen}
        assert any(contact.merged_to_contact_id for contact in seen)
        moments = [contact.updated_date_utc for contact in seen]
        assert moments == sorted(moments)
        balances = [contact.balances.accounts_receivable.outstanding for contact in seen if contact.balances]
        assert any(isinstance(balance, Decimal) and balance % 1 for balance in balances)


def test_contact_by_id_and_unpaged(demo: Any, accounting: AccountingApi) -> None:
    tenant = demo.tenant()
    merged = next(row for row in demo.truth("Contacts") if "MergedToContactID" in row)
    (alone,) = accounting.get_contact(tenant, merged["ContactID"]).contacts
    assert alone.merged_to_contact_id == merged["MergedToContactID"]
    unpaged = accounting.get_contacts(tenant, i_ds=[merged["ContactID"]])
    assert unpaged.pagination is None
    assert unpaged.contacts[0].merged_to_contact_id is None
    summary = accounting.get_contacts(tenant, summary_only=True, page_size=5)
    assert len(summary.contacts) == 5
    assert not any(contact.addresses or contact.phones for contact in summary.contacts)


def test_modified_since_as_the_library_sends_it(sandbox: Any, accounting: AccountingApi) -> None:
    assert accounting.get_contacts(sandbox.tenant(), if_modified_since=datetime(2000, 1, 1, tzinfo=UTC)).contacts
    assert not accounting.get_contacts(sandbox.tenant(), if_modified_since=datetime(2100, 1, 1, tzinfo=UTC)).contacts


def test_accounts(demo: Any, accounting: AccountingApi) -> None:
    for number, organisation in enumerate(demo.organisations):
        accounts = accounting.get_accounts(organisation["tenant"]).accounts
        assert {account.account_id for account in accounts} == {r["AccountID"] for r in demo.truth("Accounts", number)}
        assert any(account.code is None and account.type.value == "BANK" for account in accounts)
        assert any(account.system_account for account in accounts)
        assert {account.status for account in accounts} == {"ACTIVE", "ARCHIVED"}
        assert accounting.get_account(organisation["tenant"], accounts[0].account_id).accounts[0] == accounts[0]


def test_tax_rates(sandbox: Any, accounting: AccountingApi) -> None:
    rates = {rate.tax_type: rate for rate in accounting.get_tax_rates(sandbox.tenant()).tax_rates}
    assert rates["OUTPUT"].effective_rate == Decimal("10.0000")
    assert {rate.status for rate in rates.values()} == {"ACTIVE", "ARCHIVED", "DELETED", "PENDING"}
    (alone,) = accounting.get_tax_rate_by_tax_type(sandbox.tenant(), "TAX001").tax_rates
    assert alone == rates["TAX001"]


def test_currencies(sandbox: Any, accounting: AccountingApi) -> None:
    """With multiple currencies, and without."""
    for organisation, codes in ((0, ["AUD"]), (1, ["AUD", "EUR", "IDR", "NZD"])):
        found = accounting.get_currencies(sandbox.tenant(organisation)).currencies
        assert [one.code.value if hasattr(one.code, "value") else one.code for one in found] == codes
        assert all(one.description for one in found)


def test_tracking_categories(sandbox: Any, accounting: AccountingApi) -> None:
    everything = accounting.get_tracking_categories(sandbox.tenant(), include_archived=True).tracking_categories
    active = accounting.get_tracking_categories(sandbox.tenant()).tracking_categories
    assert {category.status for category in everything} == {"ACTIVE", "ARCHIVED"}
    assert {option.status for category in everything for option in category.options} == {"ACTIVE", "ARCHIVED"}
    assert 0 < len(active) < len(everything)
    assert {option.status for category in active for option in category.options} == {"ACTIVE"}


@pytest.mark.parametrize(("kind", "status"), [("token_expired", 401), ("revoked", 403), ("500", 500)])
def test_refusals(sandbox: Any, accounting: AccountingApi, kind: str, status: int) -> None:
    sandbox.control("POST", "faults", {"kind": kind, "path": "Accounts"})
    with pytest.raises(HTTPStatusException) as caught:
        accounting.get_accounts(sandbox.tenant())
    assert caught.value.status == status
