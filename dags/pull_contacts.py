"""
### Airflow DAG: contacts from Xero

Pulls the customers and suppliers of every connected organisation, with addresses, tax numbers, defaults and terms. A
contact that is archived or merged in Xero becomes inactive in QicWorks.

Daily at 2 am in the organisation's own time zone; checked every hour. *Trigger* pulls now, for one organisation or all.
Only what changed since the last run is fetched.

Each `pull` task is one organisation. A failed (red) task does not affect the others; its log ends with the cause and
the fix.
"""

from xero.dags import pull_dag

pull_dag("contacts", __doc__)
