"""The pages in Airflow's UI: connect, connections, synchronise, events, documents, overview.

They are served by Airflow's API server below `/xero`, as HTML made here; Airflow frames them in its own navigation.
"""

from collections.abc import Awaitable, Callable
from typing import Any

PREFIX = "/xero"


def view(airflow: str) -> dict[str, str | bool]:
    """The entry in Airflow's navigation. `airflow`: the path that Airflow itself is served below, usually empty.

    Airflow's own route for the frame around a page is `/plugin/xero`, then the page's whole address.
    """
    return {
        "name": "Xero",
        "href": f"{airflow}{PREFIX}/",
        "url_route": "xero",
        "destination": "nav",
        "nav_top_level": True,
        "icon": f"{airflow}{PREFIX}/static/navigation.svg",
    }


Message = dict[str, Any]


class Pages:
    """The pages' ASGI application, made at its first request: only the API server ever has one."""

    def __init__(self) -> None:
        self._application: Any = None

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if self._application is None:
            from xero.pages.app import application

            self._application = application()
        await self._application(scope, receive, send)
