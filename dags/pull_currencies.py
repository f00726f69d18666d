"""
### Airflow DAG: currencies from Xero

Pulls the currencies of every connected organisation: the base currency and, if its plan has multiple currencies, those
that were added in Xero. All are fetched, in one call, and compared. A document in a currency that the organisation does
not have is refused before anything is sent.

Daily at 2 am in the organisation's own time zone; checked every hour. *Trigger* pulls now, for one organisation or all.

Each `pull` task is one organisation. A failed (red) task does not affect the others; its log ends with the cause and
the fix.
"""

from xero.dags import pull_dag

pull_dag("currencies", __doc__)
