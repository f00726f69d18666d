"""
### Airflow DAG: bills to Xero

Suppliers' bills become draft bills in Xero, under the supplier's own number, with their attachments. Later edits are
sent as long as the bill is still a draft in Xero.

Every 15 minutes; *Trigger* pushes now, for one organisation or all, or only certain documents. `dry_run` lists in the
log of `push` which documents would be sent and which refused, and sends nothing.

Each `push` task is one organisation. A bill that fails has an ERROR line in the log that says what to do; it does not
fail the task, unless it was named in `document_ids`. Any other failed (red) task means that the organisation could not
be processed: its log ends with the cause and the fix. No bill is created twice in Xero.
"""

from xero.dags import push_dag

push_dag("bills", __doc__)
