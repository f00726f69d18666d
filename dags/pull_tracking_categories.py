"""
### Airflow DAG: tracking categories from Xero

Pulls the tracking categories of every connected organisation and their options; QicWorks' departments are options of
one of them. All are fetched, in one call, and compared. Archived ones become inactive in QicWorks.

Daily at 2 am in the organisation's own time zone; checked every hour. *Trigger* pulls now, for one organisation or all.

Each `pull` task is one organisation. A failed (red) task does not affect the others; its log ends with the cause and
the fix.
"""

from xero.dags import pull_dag

pull_dag("tracking_categories", __doc__)
