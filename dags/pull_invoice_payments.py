"""
### Airflow DAG: invoice payments from Xero

Pulls payments of invoices, and their deletion. Updates paid to date, balance and status of the invoices that QicWorks
pushed: part payments, batch payments, credit notes, prepayments, overpayments and voids. If an invoice disagrees with
its payments, the invoice itself is fetched.

Daily at midnight in the organisation's own time zone; checked every 15 minutes. Each run continues where the last one
ended, so a missed night is caught up. *Trigger* pulls now, for one organisation or all.

Each `pull` task is one organisation. A failed (red) task does not affect the others; its log ends with the cause and
the fix.
"""

from xero.dags import pull_dag

pull_dag("invoice_payments", __doc__)
