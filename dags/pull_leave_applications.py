"""
### Airflow DAG: leave applications from Xero

Follows the leave requests that QicWorks pushed: whether they were taken, rejected, edited or removed in Xero. Shows
leave that was entered in Xero where it overlaps a request of the same employee in QicWorks.

Daily at midnight in the organisation's own time zone; checked every 15 minutes. Each run continues where the last one
ended, so a missed night is caught up. *Trigger* pulls now, for one organisation or all. What differs between QicWorks
and Xero stays an open difference until both agree.

Each `pull` task is one organisation. A failed (red) task does not affect the others; its log ends with the cause and
the fix.
"""

from xero.dags import pull_dag

pull_dag("leave_applications", __doc__)
