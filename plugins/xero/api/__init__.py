"""Xero over HTTP. Knows no tables and no Airflow."""
