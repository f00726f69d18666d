"""Documents in another currency than the organisation's own, and their rates."""

from typing import Any

import pytest

from tests.support.sandbox import Sandbox

DOCUMENTS = {
    "Invoices": ("InvoiceID", {"Type": "ACCREC"}),
    "CreditNotes": ("CreditNoteID", {"Type": "ACCPAYCREDIT"}),
    "PurchaseOrders": ("PurchaseOrderID", {}),
}


class Firm:
    """One with multiple currencies, and what an app sends to it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        contacts = sandbox.truth("Contacts", 1)
        self.contact = next(one["ContactID"] for one in contacts if one["ContactStatus"] == "ACTIVE")

    def send(self, method: str, plural: str, **fields: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.sandbox.token}", "xero-tenant-id": self.sandbox.tenant(1)}
        url, element = f"{self.sandbox.url}/api.xro/2.0/{plural}", {**DOCUMENTS[plural][1], **fields}
        params = {"summarizeErrors": "false"}
        answer = self.sandbox.session.request(method, url, headers=headers, params=params, json={plural: [element]})
        assert answer.status_code == 200, answer.text
        (made,) = answer.json()[plural]
        return dict(made)

    def make(self, plural: str, **fields: Any) -> dict[str, Any]:
        lines = [{"Description": "Work", "UnitAmount": 100, "AccountCode": "429"}]
        return self.send("PUT", plural, Contact={"ContactID": self.contact}, LineItems=lines, **fields)


@pytest.mark.parametrize("plural", DOCUMENTS)
def test_a_rate_that_is_not_sent_is_that_of_the_day(sandbox: Any, plural: str) -> None:
    firm, key = Firm(sandbox), DOCUMENTS[plural][0]

    def shown(record: dict[str, Any]) -> tuple[Any, Any]:
        return record["CurrencyCode"], record["CurrencyRate"]

    assert shown(firm.make(plural)) == ("AUD", 1)
    assert shown(firm.make(plural, CurrencyCode="AUD", CurrencyRate=0.5)) == ("AUD", 1)
    assert shown(firm.make(plural, CurrencyCode="NZD")) == ("NZD", 1.134567)
    made = firm.make(plural, CurrencyCode="eur", CurrencyRate="0.7000004")
    assert shown(made) == ("EUR", 0.7)
    (listed,) = (one for one in sandbox.truth(plural, 1) if one[key] == made[key])
    assert shown(listed) == ("EUR", 0.7)
    for changes, expected in (
        ({}, ("EUR", 0.7)),
        ({"CurrencyRate": 0.71}, ("EUR", 0.71)),
        ({"CurrencyRate": None}, ("EUR", 0.71)),
        ({"CurrencyCode": "NZD"}, ("NZD", 1.134567)),
        ({"CurrencyCode": "AUD", "CurrencyRate": 0.71}, ("AUD", 1)),
    ):
        assert shown(firm.send("POST", plural, **{key: made[key]}, **changes)) == expected
    for fields, words in (
        ({"CurrencyCode": "GBP"}, "Organisation is not subscribed to currency GBP"),
        ({"CurrencyCode": "EUR", "CurrencyRate": 0}, "CurrencyRate must be greater than zero"),
    ):
        assert firm.make(plural, **fields)["ValidationErrors"] == [{"Message": words}]
