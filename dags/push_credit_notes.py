"""
### Airflow DAG: credit notes to Xero

Credit notes to customers and from suppliers become draft credit notes in Xero, with their attachments. Xero's users
allocate them. Later edits are sent as long as the credit note is still a draft in Xero.

Every 15 minutes; *Trigger* pushes now, for one organisation or all, or only certain documents. `dry_run` lists in the
log of `push` which documents would be sent and which refused, and sends nothing.

Each `push` task is one organisation. A credit note that fails has an ERROR line in the log that says what to do; it
does not fail the task, unless it was named in `document_ids`. Any other failed (red) task means that the organisation
could not be processed: its log ends with the cause and the fix. No credit note is created twice in Xero.
"""

from xero.dags import push_dag

push_dag("credit_notes", __doc__)
