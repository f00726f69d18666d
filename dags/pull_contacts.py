"""
### Airflow DAG: contacts from Xero

Customers and suppliers of every connected organisation, with addresses, tax numbers, defaults and terms. An archived or
merged contact stays in QicWorks, inactive.

Each night at the organisation's own 2 am; *Trigger* pulls at once, for one organisation or all.
Only what changed since the last run is read.
A red instance of `pull` is one organisation: its log says what went wrong and what to do; the others are not affected.
"""

from xero.dags import pull_dag

pull_dag("contacts", __doc__)
