"""
### Airflow DAG: payroll to Xero's pay templates

What payroll approved in QicWorks for a pay period is set in the employees' pay templates, one employee a request:
overtime, allowances and other hours that QicWorks owns; salary, super, leave and all else in the template stay. What
one period had and the next has not is set to nothing. It has to be there before the pay run of the period is made in
Xero.

Every 15 minutes what is ready; *Trigger* pushes at once, for one organisation or all, or only certain people's pay.
`dry_run` says in the log of `push` which would be sent, by their ids; amounts are not told there.
An instance of `push` is one organisation. A pay that fails has a line with ERROR in its log, which says what to do, and
the run stays green; a red instance could not go on at all: the end of its log says why. Nothing is paid twice.
"""

from xero.dags import push_dag

push_dag("payroll", __doc__)
