"""Whose pay or leave it is, which is not for everybody who may read."""

from xero.dag_ids import push_dag_of
from xero.documents.declaration import Kind
from xero.pages.access import Viewer


def may_see_people(who: Viewer, kind: Kind | None) -> bool:
    """Those who push it, or may see what is sent of it."""
    return kind is None or not kind.payroll or who.may_edit or who.may_trigger(push_dag_of(kind.name))
