"""The QicWorks database, by flow. Knows no Airflow."""
