"""
### Airflow DAG: credit notes to Xero

Credit notes to customers and from suppliers become draft credit notes in Xero, with their attachments. Xero's users
allocate them. A change of one that was pushed before is sent as long as it is a draft in Xero.

Every 15 minutes what is ready; *Trigger* pushes at once, for one organisation or all, or only certain documents.
`dry_run` says in the log of `push` which documents would be sent and which refused, and sends nothing.
An instance of `push` is one organisation. A credit note that fails has a line with ERROR in its log, which
says what to do, and the run stays green; a red instance could not go on at all: the end of its log says why. Nothing is
pushed twice.
"""

from xero.dags import push_dag

push_dag("credit_notes", __doc__)
