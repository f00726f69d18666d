"""The project's pages in Airflow's UI. Every process of Airflow loads this file, so it imports next to nothing."""

from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

from xero.pages import PREFIX, Pages, view


class XeroPlugin(AirflowPlugin):
    name = "xero"
    fastapi_apps = [{"app": Pages(), "url_prefix": PREFIX, "name": "Xero"}]  # noqa: RUF012
    external_views = [view(urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/"))]  # noqa: RUF012
