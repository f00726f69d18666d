"""
### Airflow DAG: payroll to Xero's pay templates

Writes approved pay of a pay period into the employees' pay templates in Xero, one request per employee: overtime,
allowances and other hours that QicWorks manages. Salary, super, leave and everything else in the template stay. Lines
that the next period does not need are set to zero. Pay must be pushed before the pay run of the period is created in
Xero.

Every 15 minutes; *Trigger* pushes now, for one organisation or all, or only certain people's pay. `dry_run` lists in
the log of `push` the ids of the pay records that would be sent; it shows no amounts.

Each `push` task is one organisation. A pay that fails has an ERROR line in the log that says what to do; it does not
fail the task, unless it was named in `document_ids`. Any other failed (red) task means that the organisation could not
be processed: its log ends with the cause and the fix. No pay is sent twice.
"""

from xero.dags import push_dag

push_dag("payroll", __doc__)
