"""
### Airflow DAG: leave requests to Xero

Leave that was approved in QicWorks becomes a leave application in Xero, with its hours in the pay periods that it
touches. The next pay run pays it: Xero has no drafts of leave, and what is there is changed or rejected there.

Every 15 minutes what is ready; *Trigger* pushes at once, for one organisation or all, or only certain requests.
`dry_run` says in the log of `push` which would be sent, by their ids; people's leave is not told there.
An instance of `push` is one organisation. Leave that fails has a line with ERROR in its log, which says what to do, and
the run stays green; a red instance could not go on at all: the end of its log says why. Nothing is taken twice.
"""

from xero.dags import push_dag

push_dag("leave_requests", __doc__)
