"""
### Airflow DAG: expenses to Xero

Expenses become draft bills to the person or company to pay, under QicWorks' own number, with their receipts. They do
not become expense claims in Xero. The payment method is not sent. Later edits are sent as long as the bill is still a
draft in Xero.

Every 15 minutes; *Trigger* pushes now, for one organisation or all, or only certain documents. `dry_run` lists in the
log of `push` which documents would be sent and which refused, and sends nothing.

Each `push` task is one organisation. An expense that fails has an ERROR line in the log that says what to do; it does
not fail the task, unless it was named in `document_ids`. Any other failed (red) task means that the organisation could
not be processed: its log ends with the cause and the fix. No expense is created twice in Xero.
"""

from xero.dags import push_dag

push_dag("expenses", __doc__)
