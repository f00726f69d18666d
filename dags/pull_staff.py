"""
### Airflow DAG: staff from Xero Payroll

Pulls the employees of every connected organisation that has Xero Payroll, with their pay templates and leave balances.
Each employee is linked once to the member of QicWorks' staff with the same first name, last name and account email. If
several people match, none is linked, and every run warns until the email is corrected. Terminated employees become
inactive.

Daily at 2 am in the organisation's own time zone; checked every hour. *Trigger* pulls now, for one organisation or all.
Only changed employees are fetched in full, five at a time. An organisation without payroll, or a connecting user
without the payroll role, is a warning, not a failure.

Each `pull` task is one organisation. A failed (red) task does not affect the others; its log ends with the cause and
the fix.
"""

from xero.dags import pull_dag

pull_dag("staff", __doc__)
