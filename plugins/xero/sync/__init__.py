"""The flows between Xero and QicWorks. Knows no Airflow."""
