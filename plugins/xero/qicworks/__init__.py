"""The QicWorks database: staging, merge, tokens, connections and events. Knows neither HTTP nor Airflow."""
