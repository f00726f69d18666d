"""The one file below plugins/ that Airflow runs by itself: it registers what the project adds to Airflow's UI."""

from airflow.plugins_manager import AirflowPlugin


class XeroPlugin(AirflowPlugin):
    """Pages of the project in Airflow's UI."""

    name = "xero"
