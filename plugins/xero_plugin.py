"""The project's pages in Airflow's UI. Every process of Airflow loads this file, so it imports next to nothing."""

from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

try:
    from xero.pages import PREFIX, Pages, view
except ModuleNotFoundError as error:
    if error.name != "xero.pages":
        raise
    raise ImportError(
        "The Python package xero here is not this project's (qicworks-xero); PyPI's pyxero has that import name: "
        "uninstall it, then install this project again, or keep the two in separate environments."
    ) from None


class XeroPlugin(AirflowPlugin):
    name = "xero"
    fastapi_apps = [{"app": Pages(), "url_prefix": PREFIX, "name": "Xero"}]  # noqa: RUF012
    external_views = [view(urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/"))]  # noqa: RUF012
