"""
### Airflow DAG: staff from Xero Payroll

The employees of every connected organisation that has Xero Payroll, with their pay templates and leave balances.
Each is linked once to the member of QicWorks' staff with the same first name, last name and account e-mail; where
that could be more than one, nobody is linked, and the event says so until the e-mail is corrected. Who is
terminated becomes inactive.

Each night at the organisation's own 2 am; *Trigger* pulls at once, for one organisation or all.
Only employees that changed are read whole, five
at a time. An organisation without payroll, or a connecting user without the payroll role, is a warning and no
failure. A red instance of `pull` is one organisation: its log says what went wrong and what to do; the others are
not affected.
"""

from xero.dags import pull_dag

pull_dag("staff", __doc__)
