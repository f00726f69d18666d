"""
### Airflow DAG: leave balances from Xero Payroll

What leave each active employee has, kept day by day. Xero has no list of balances: one call an employee, five at a
time, 60 a minute. What was read in the last 15 minutes, by `pull_staff` for one, is not read again.

It looks every 15 minutes for whom it is due: at the midnight, in the organisation's own time zone, that begins its
pay date. A missed night is caught up. *Trigger* pulls at once, for one organisation or all. A red instance of
`pull` is one organisation: its log says what went wrong and what to do; the others are not affected.
"""

from xero.dags import pull_dag

pull_dag("leave_balances", __doc__)
