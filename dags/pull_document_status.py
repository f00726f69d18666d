"""
### Airflow DAG: what became of documents in Xero

Follows the invoices, bills, expenses, credit notes and purchase orders that QicWorks pushed: whether they were
approved, paid, billed, edited, voided or deleted in Xero. Status, paid to date and balance in QicWorks follow. What
QicWorks would not expect becomes a difference, which stays under Xero → Differences until both sides agree.

Every hour; at most five calls for each organisation if nothing changed. *Trigger* pulls now, for one organisation or
all.

Each `pull` task is one organisation. A failed (red) task does not affect the others; its log ends with the cause and
the fix.
"""

from xero.dags import pull_dag

pull_dag("document_status", __doc__)
