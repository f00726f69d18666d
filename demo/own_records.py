"""Writes what QicWorks has before its first pull: some of its staff, and organisations that are not connected yet."""

from typing import Any

import psycopg
import requests

from demo.place import Place

STAFF = """
    INSERT INTO qicworks.staff (organisation_id, first_name, last_name, account_email, match_state)
    SELECT connection.organisation_id, %(FirstName)s, %(LastName)s, %(Email)s::text, 'none'
      FROM xero_sync.connection
     WHERE connection.tenant_id = %(tenant)s
       AND NOT EXISTS (SELECT FROM qicworks.staff AS held
                        WHERE held.organisation_id = connection.organisation_id
                          AND held.account_email = %(Email)s::text)
"""
# For the Xero organisations that a user may connect: one has the same name, the other has to be matched by hand.
ORGANISATION = """
    INSERT INTO qicworks.organisation (name)
    SELECT %(name)s::text WHERE NOT EXISTS (SELECT FROM qicworks.organisation WHERE name = %(name)s::text)
"""
# A restarted sandbox knows no earlier sign-in.
MARK_TO_RECONNECT = """
      WITH forgotten AS (
           UPDATE xero_sync.token SET state = 'broken', broken_reason = %(reason)s
            WHERE airflow_conn_id = 'xero_app' AND state = 'ok' RETURNING id)
    UPDATE xero_sync.connection SET state = 'needs_reconnect', state_reason = %(reason)s
      FROM forgotten WHERE connection.token_id = forgotten.id AND connection.state = 'connected'
"""
REASON = "The sandbox was restarted and has forgotten earlier sign-ins. Connect to Xero again."
UNCONNECTED = ("Huon Valley Refrigeration Pty Ltd", "TEPTC Darwin Depot")


def add(place: Place) -> None:
    """Writes them; safe to run again. The employees come from the sandbox."""
    with requests.Session() as session, psycopg.connect(f"{place.postgres}/qicworks") as connection:
        session.trust_env = False

        def ask(path: str) -> Any:
            response = session.get(f"{place.sandbox}/sandbox/organisations{path}", timeout=60)
            response.raise_for_status()
            return response.json()

        for name in UNCONNECTED:
            connection.execute(ORGANISATION, {"name": name})
        for organisation in ask(""):
            tenant = organisation["tenant"]
            for employee in some_of(ask(f"/{tenant}/Employees")):
                connection.execute(STAFF, {**employee, "tenant": tenant})


def forget_consents(place: Place) -> None:
    """Marks the connections that users made as needing to be reconnected."""
    with psycopg.connect(f"{place.postgres}/qicworks") as connection:
        connection.execute(MARK_TO_RECONNECT, {"reason": REASON})


def some_of(employees: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Three with a unique email: QicWorks knows them already, so the pull links them."""
    emails = [employee.get("Email") for employee in employees]
    return [one for one in employees if one.get("Email") and emails.count(one["Email"]) == 1][:3]
