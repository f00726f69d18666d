"""Access to the pages: Airflow's users and rights, and protection against forged requests."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.api_fastapi.auth.managers.models.resource_details import (
    ConnectionDetails,
    DagAccessEntity,
    DagDetails,
)
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from fastapi import Depends, HTTPException, Request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from xero import dag_ids
from xero.dag_ids import pull_dag_of, push_dag_of
from xero.datasets.registry import DATASETS
from xero.documents.declaration import Kind
from xero.documents.registry import KINDS
from xero.qicworks.views.event_log import EventScope

SAFE = ("GET", "HEAD", "OPTIONS")
FORM_LIFE = 12 * 3600  # seconds that a page may stay open before its buttons expire
XERO = "xero_default"


@dataclass(frozen=True)
class Viewer:
    """The user of a page. `readable`: the project's DAGs that they may read; `may_edit`: Xero's connections."""

    user: Any
    readable: frozenset[str]
    may_edit: bool

    @property
    def id(self) -> str:
        return str(self.user.get_id())

    @property
    def name(self) -> str:
        return str(self.user.get_name())

    @property
    def data_sets(self) -> list[str]:
        """The data sets whose pulls this user may read, in the registry's order."""
        return [name for name in DATASETS if pull_dag_of(name) in self.readable]

    @property
    def kinds(self) -> list[str]:
        """The kinds of document whose pushes this user may read."""
        return [name for name in KINDS if push_dag_of(name) in self.readable]

    @property
    def event_scope(self) -> EventScope:
        """The events that this user may read."""
        if self.readable >= dag_ids.on_pages():
            return None
        return frozenset([("pull", name) for name in self.data_sets] + [("push", name) for name in self.kinds])

    def may_trigger(self, dag_id: str) -> bool:
        return bool(
            get_auth_manager().is_authorized_dag(
                method="POST", access_entity=DagAccessEntity.RUN, details=DagDetails(id=dag_id), user=self.user
            )
        )

    def may_unpause(self, dag_id: str) -> bool:
        return bool(get_auth_manager().is_authorized_dag(method="PUT", details=DagDetails(id=dag_id), user=self.user))

    def may_see_people(self, kind: Kind | None) -> bool:
        """Whether this user may see whose pay or leave it is: those who push it, or may see what is sent of it."""
        return kind is None or not kind.payroll or self.may_edit or self.may_trigger(push_dag_of(kind.name))

    def may_trigger_any(self, dag_ids: Iterable[str]) -> bool:
        return any(self.may_trigger(dag_id) for dag_id in dag_ids)


def viewer(user: GetUserDep) -> Viewer:
    """A user who is logged in and may read at least one of the project's DAGs."""
    manager = get_auth_manager()
    readable = frozenset(manager.filter_authorized_dag_ids(dag_ids=set(dag_ids.on_pages()), user=user, method="GET"))
    if not readable:
        raise HTTPException(
            403, "You do not have access to this page. Ask your administrator for read access to the DAGs."
        )
    may_edit = manager.is_authorized_connection(method="PUT", details=ConnectionDetails(conn_id=XERO), user=user)
    return Viewer(user, readable, bool(may_edit))


ViewerDep = Annotated[Viewer, Depends(viewer)]


def editor(who: ViewerDep) -> Viewer:
    """A user who may change connections, and see the requests of payroll."""
    if not who.may_edit:
        raise HTTPException(403, "This needs the right to edit Airflow's connections.")
    return who


EditorDep = Annotated[Viewer, Depends(editor)]


def reading(who: Viewer, dag_id: str) -> None:
    if dag_id not in who.readable:
        raise HTTPException(403, f"You may not read the DAG {dag_id}.")


def triggering(who: Viewer, dag_id: str) -> None:
    if not who.may_trigger(dag_id):
        raise HTTPException(403, f"This needs the right to trigger the DAG {dag_id}.")


async def fields(request: Request) -> dict[str, str]:
    """The fields of a form whose names are not known beforehand."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


FieldsDep = Annotated[dict[str, str], Depends(fields)]


# -- requests from elsewhere


def form_token(user: Any) -> str:
    """Part of every form: without it another site cannot send one in this user's name."""
    return _signer().dumps(str(user.get_id()))


async def not_forged(request: Request, user: GetUserDep) -> None:
    """Refuses requests that change something and do not come from one of these pages.

    A caller with a bearer token and without Airflow's cookie is not a browser that another site sent here.
    """
    scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
    if request.method in SAFE or (scheme == "bearer" and COOKIE_NAME_JWT_TOKEN not in request.cookies):
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    # A proxy may change the Host header, but not what the browser reports about the site.
    ours = {request.headers.get("host"), urlsplit(conf.get("api", "base_url", fallback="")).netloc}
    if site not in (None, "same-origin") or (site is None and origin and urlsplit(origin).netloc not in ours - {""}):
        raise HTTPException(403, "This request comes from another site. Use the buttons on this page.")
    given = request.headers.get("x-form-token") or (await request.form()).get("form_token")
    try:
        meant = _signer().loads(str(given or ""), max_age=FORM_LIFE)
    except BadSignature:
        raise HTTPException(403, "This page has expired. Reload it and try again.") from None
    if meant != str(user.get_id()):
        raise HTTPException(403, "This page was made for another user. Reload it.")


async def legible(request: Request) -> None:
    """Refuses NUL, which no text of a database can hold, anywhere in the request."""
    pairs: list[tuple[str, Any]] = [("", request.url.path), *request.query_params.multi_items()]
    if request.method not in SAFE:
        pairs += (await request.form()).multi_items()
    if any("\0" in text for pair in pairs for text in pair if isinstance(text, str)):
        raise HTTPException(422, "This address or form cannot be read: it contains a NUL character.")


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(conf.get_mandatory_value("api", "secret_key"), salt="xero.pages")
