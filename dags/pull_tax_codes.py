"""
### Airflow DAG: tax codes from Xero

Pulls every tax rate of every connected organisation, and what it may be used for. Xero cannot report which ones
changed, so all are fetched, in one call, and compared. Tax codes that are no longer used in Xero become inactive in
QicWorks.

Daily at 2 am in the organisation's own time zone; checked every hour. *Trigger* pulls now, for one organisation or all.

Each `pull` task is one organisation. A failed (red) task does not affect the others; its log ends with the cause and
the fix.
"""

from xero.dags import pull_dag

pull_dag("tax_codes", __doc__)
