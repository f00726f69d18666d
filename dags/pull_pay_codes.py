"""
### Airflow DAG: pay codes from Xero Payroll

Pulls earnings rates and allowances, leave types with their unit, deductions and reimbursements of every connected
organisation that has Xero Payroll. Pay codes that are no longer in Xero become inactive. Also pulls the payroll
calendars: they supply the pay date of an organisation for which QicWorks has none.

Daily at 2 am in the organisation's own time zone; checked every hour. *Trigger* pulls now, for one organisation or all.
All pay codes are fetched, in two calls, and compared.

Each `pull` task is one organisation. A failed (red) task does not affect the others; its log ends with the cause and
the fix.
"""

from xero.dags import pull_dag

pull_dag("pay_codes", __doc__)
