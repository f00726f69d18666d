"""The QicWorks database: staging, merge, tokens, connections and events. Runs `include/sql`; knows neither HTTP nor Airflow."""
