"""A viewer sees only what the readable DAGs report."""

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import HTTPException


def viewer(*readable: str) -> Any:
    from xero.pages.access import Viewer

    return Viewer(SimpleNamespace(get_id=lambda: "7"), frozenset(readable), may_edit=False)


def test_events_and_documents_are_those_of_the_readable_dags(airflow_database: None) -> None:
    some = viewer("pull_contacts", "push_bills", "reconcile")
    assert some.event_scope == {("pull", "contacts"), ("push", "bills")}
    assert (some.data_sets, some.kinds) == (["contacts"], ["bills"])


def test_only_who_may_read_every_dag_sees_every_event(airflow_database: None) -> None:
    from xero.dag_ids import on_pages

    assert viewer(*on_pages()).event_scope is None
    for hidden in on_pages():
        assert viewer(*(on_pages() - {hidden})).event_scope is not None, hidden


def test_rights_are_those_to_the_dags_of_the_prefix(airflow_database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__XERO__DAG_ID_PREFIX", "acme_")
    some = viewer("acme_pull_contacts", "push_bills", "acme_push_invoices")
    assert some.event_scope == {("pull", "contacts"), ("push", "invoices")}


def test_a_dag_that_is_not_readable_is_refused(airflow_database: None) -> None:
    from xero.pages.access import reading

    reading(viewer("pull_contacts"), "pull_contacts")
    with pytest.raises(HTTPException) as caught:
        reading(viewer("pull_contacts"), "pull_staff")
    assert caught.value.status_code == 403
