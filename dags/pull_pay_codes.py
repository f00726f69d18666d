"""
### Airflow DAG: pay codes from Xero Payroll

Earnings rates and allowances, leave types with their unit, deductions and reimbursements of every connected
organisation that has Xero Payroll; what was replaced becomes inactive. The payroll calendars come along: where
QicWorks has no pay date nominated for an organisation, its calendar says it.

Each night at the organisation's own 2 am; *Trigger* pulls at once, for one organisation or all.
Everything is read and compared, in two calls. A
red instance of `pull` is one organisation: its log says what went wrong and what to do; the others are not
affected.
"""

from xero.dags import pull_dag

pull_dag("pay_codes", __doc__)
