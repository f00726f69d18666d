"""
### Airflow DAG: leave requests to Xero

Leave that was approved in QicWorks becomes a leave application in Xero, with its hours in the pay periods that it
covers. Xero has no drafts of leave: the next pay run pays it, and later changes are made in Xero.

Every 15 minutes; *Trigger* pushes now, for one organisation or all, or only certain requests. `dry_run` lists in the
log of `push` the ids of the requests that would be sent; it shows no one's leave, because all Airflow users can read
this log.

Each `push` task is one organisation. A leave request that fails has an ERROR line in the log that says what to do; it
does not fail the task, unless it was named in `document_ids`. Any other failed (red) task means that the organisation
could not be processed: its log ends with the cause and the fix. A leave request is never sent twice.
"""

from xero.dags import push_dag

push_dag("leave_requests", __doc__)
