"""Users of FAB, Airflow's larger auth manager, in this process: its real roles and its real decisions."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from unittest import mock
from uuid import uuid4

from tests.support.pages import Browser

Rights = Mapping[str, Mapping[str, set[str]]]  # DAG → kind of thing → actions, as a DAG's `access_control` has it

_READ, _TRIGGER = {"DAGs": {"can_read"}}, {"DAGs": {"can_read", "can_edit"}, "DAG Runs": {"can_create"}}
SOME_DAGS: Rights = {
    "pull_contacts": _TRIGGER,
    "pull_staff": _READ,
    "push_invoices": _TRIGGER,
    "push_bills": _READ,
}


@contextmanager
def logged_in_by_fab(rights: Rights) -> Iterator[Browser]:
    """The browser of a user whose only role has these rights. Until the end of the block FAB decides for everybody.

    The DAGs must be in Airflow's database."""
    from airflow.api_fastapi.app import _AuthManagerState
    from airflow.api_fastapi.main import app
    from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
    from airflow.providers.fab.auth_manager.models import User
    from airflow.providers.fab.www.security_appless import ApplessAirflowSecurityManager
    from airflow.utils.session import create_session

    name = f"clerk {uuid4().hex[:8]} of {len(rights)} DAGs"
    with create_session() as session:
        roles = ApplessAirflowSecurityManager(session=session)
        role = roles.add_role(name)
        # Whoever reads a DAG reads its runs and their tasks; which DAGs, the rights say.
        for resource in ("DAG Runs", "Task Instances"):
            roles.add_permission_to_role(role, roles.create_permission("can_read", resource))
        for dag_id, allowed in rights.items():
            roles.sync_perm_for_dag(dag_id, {name: dict(allowed)})
        user = User(username=name, first_name=name, last_name="", email=f"{name}@example.com.au", roles=[role])
        session.add(user)
        session.flush()
        manager = FabAuthManager()
        token, id = manager.generate_jwt(user), user.get_id()
    with (
        mock.patch.object(_AuthManagerState, "instance", manager),
        mock.patch.object(app.state, "auth_manager", manager),
        Browser(app, base_url="http://airflow.test", headers={"accept": "text/html"}) as browser,
    ):
        browser.role = id
        browser.cookies.set("_token", token)
        yield browser
