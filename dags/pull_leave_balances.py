"""
### Airflow DAG: leave balances from Xero Payroll

Pulls the leave balances of each active employee and keeps one row per day. Xero has no list of balances, so each
employee costs one call: five at a time, 60 a minute. Balances fetched in the last 15 minutes, for example by
`pull_staff`, are not fetched again.

At the midnight, in the organisation's own time zone, that begins its pay date; checked every 15 minutes. A missed night
is caught up. *Trigger* pulls now, for one organisation or all.

Each `pull` task is one organisation. A failed (red) task does not affect the others; its log ends with the cause and
the fix.
"""

from xero.dags import pull_dag

pull_dag("leave_balances", __doc__)
