"""Imitates other users of Xero through the sandbox's control API: they create documents and archive records."""

from typing import Any

import requests

from demo.place import Place


class Colleagues:
    """Other users of the demo's Xero organisations."""

    def __init__(self, place: Place) -> None:
        self.url = f"{place.sandbox}/sandbox/organisations"
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy: the sandbox is on this machine

    def __enter__(self) -> "Colleagues":
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        response = self.session.request(method, self.url + path, json=body, timeout=60)
        response.raise_for_status()
        return response.json()

    def numbers(self, tenant: str, ours: set[str]) -> dict[str, str]:
        """Numbers of documents that they created for contacts other than ours, one of each sort."""
        invoices = [
            one
            for one in self.ask(f"/{tenant}/Invoices")
            if one["Type"] == "ACCREC" and one["InvoiceNumber"].startswith("INV-") and not _is_for(one, ours)
        ]
        taken = next(one for one in invoices if one["Status"] in ("PAID", "AUTHORISED"))
        gone = next((one for one in invoices if one["Status"] in ("DELETED", "VOIDED")), None)
        if gone is None:
            gone = {**taken, "InvoiceNumber": "INV-9001", "Status": "DELETED"}
            del gone["InvoiceID"]
            self.ask(f"/{tenant}/Invoices", "POST", gone)
        credits, orders = (
            [
                one
                for one in self.ask(f"/{tenant}/{collection}")
                if one["Status"] not in ("DELETED", "VOIDED") and not _is_for(one, ours)
            ]
            for collection in ("CreditNotes", "PurchaseOrders")
        )
        return {
            "taken invoice": taken["InvoiceNumber"],
            "deleted invoice": gone["InvoiceNumber"],
            "taken credit note": next(one["CreditNoteNumber"] for one in credits if one["Type"] == "ACCRECCREDIT"),
            "taken order": orders[0]["PurchaseOrderNumber"],
        }

    def keep_books(self, tenant: str, order: dict[str, Any]) -> None:
        """What a bookkeeper does with a document, as the sandbox's control API describes it."""
        self.ask(f"/{tenant}/bookkeeping", "POST", order)

    def archive_contact(self, tenant: str, contact: str) -> None:
        self._archive(f"/{tenant}/Contacts", "ContactID", contact, "ContactStatus")

    def archive_account(self, tenant: str, code: str) -> None:
        self._archive(f"/{tenant}/Accounts", "Code", code, "Status", key="AccountID")

    def _archive(self, path: str, name: str, value: str, status: str, key: str | None = None) -> None:
        [record] = [one for one in self.ask(path) if one.get(name) == value]
        if record[status] != "ARCHIVED":
            self.ask(f"{path}/{record[key or name]}", "PATCH", {status: "ARCHIVED"})


def _is_for(document: dict[str, Any], contacts: set[str]) -> bool:
    return document["Contact"]["ContactID"] in contacts
