"""
### Airflow DAG: expenses to Xero

Expenses become draft bills of who is paid, under QicWorks' own number, with their receipts: Xero has no expense claims
any more. Whether somebody paid by card is information only. A change of one that was pushed before is sent as long as
it is a draft in Xero.

Every 15 minutes what is ready; *Trigger* pushes at once, for one organisation or all, or only certain documents.
`dry_run` says in the log of `push` which documents would be sent and which refused, and sends nothing.
An instance of `push` is one organisation. An expense that fails has a line with ERROR in its log, which
says what to do, and the run stays green; a red instance could not go on at all: the end of its log says why. Nothing is
pushed twice.
"""

from xero.dags import push_dag

push_dag("expenses", __doc__)
