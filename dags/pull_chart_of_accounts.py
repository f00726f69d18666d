"""
### Airflow DAG: chart of accounts from Xero

Pulls every account of every connected organisation with its code, type, class and default tax code. An account that is
archived in Xero becomes inactive in QicWorks. A bank account may have no code.

Daily at 2 am in the organisation's own time zone; checked every hour. *Trigger* pulls now, for one organisation or all.
One call fetches what changed since the last run.

Each `pull` task is one organisation. A failed (red) task does not affect the others; its log ends with the cause and
the fix.
"""

from xero.dags import pull_dag

pull_dag("chart_of_accounts", __doc__)
