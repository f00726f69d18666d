"""Both ways in which something happens in the sandbox's first organisation: a user there, and the app's calls."""

from dataclasses import dataclass
from typing import Any

import requests

from tests.support.sandbox import Sandbox

PLURALS = {"invoice": "Invoices", "credit": "CreditNotes", "purchase_order": "PurchaseOrders"}
KEYS = {"Invoices": "InvoiceID", "CreditNotes": "CreditNoteID", "PurchaseOrders": "PurchaseOrderID"}


@dataclass
class InXero:
    sandbox: Sandbox

    def act(self, do: str, **order: Any) -> dict[str, list[dict[str, Any]]]:
        """What a user does; the changed records by plural."""
        answer = self._act(do, order)
        assert answer.status_code == 200, answer.text
        changed: dict[str, list[dict[str, Any]]] = answer.json()
        return changed

    def refused(self, do: str, **order: Any) -> str:
        """Why a user cannot do it."""
        answer = self._act(do, order)
        assert answer.status_code == 400, answer.text
        return str(answer.json()["error"])

    def edit(self, fields: dict[str, Any], **document: str) -> dict[str, Any]:
        """The document after a bookkeeper has changed these fields, as the app reads it."""
        ((name, key),) = document.items()
        (changed,) = self.act("edit", fields=fields, **document)[PLURALS[name]]
        (shown,) = self.sandbox.get(f"{PLURALS[name]}/{key}", unitdp=4).json()[PLURALS[name]]
        assert shown["UpdatedDateUTC"] == changed["UpdatedDateUTC"]
        return dict(shown)

    def call(self, method: str, path: str, body: Any = None, key: str = "", **params: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.sandbox.token}", "xero-tenant-id": self.sandbox.tenant()}
        headers |= {"Idempotency-Key": key} if key else {}
        url = self.sandbox.url + (path if path.startswith("/") else f"/api.xro/2.0/{path}")
        return self.sandbox.session.request(method, url, headers=headers, params=params, json=body)

    def make(self, plural: str, **fields: Any) -> dict[str, Any]:
        """A draft, unless told, that the app has sent for the first ordinary contact."""
        contacts = self.sandbox.truth("Contacts")
        contact = next(row for row in contacts if row["ContactStatus"] == "ACTIVE" and row["EmailAddress"])
        line = {"Description": "Pipe", "Quantity": 2, "UnitAmount": 50, "AccountCode": "310"}
        document = {"Contact": {"ContactID": contact["ContactID"]}, "LineItems": [line], "DueDate": "2027-01-31"}
        answer = self.call("PUT", plural, [document | fields], unitdp=4)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()[plural][0])

    def status_by_api(self, plural: str, document: dict[str, Any], status: str, **how: Any) -> dict[str, Any]:
        """How each document answers when only its id and its new status are sent."""
        body = [{KEYS[plural]: document[KEYS[plural]], "Status": status}]
        answer = self.call("POST", plural, body, summarizeErrors="false", **how)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()[plural][0])

    def _act(self, do: str, order: dict[str, Any]) -> requests.Response:
        url = f"{self.sandbox.url}/sandbox/organisations/{self.sandbox.tenant()}/bookkeeping"
        return self.sandbox.session.post(url, json={"do": do, **order})
