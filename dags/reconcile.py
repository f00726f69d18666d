"""
### Airflow DAG: compare QicWorks with Xero

Compares, for every data set of every connected organisation, the number of records and the time of the newest change,
for a handful of calls each; and every document that was pushed with its record, as last read. Each difference is logged
as a warning event, and stays under Xero → Differences until a later comparison no longer finds it. Nothing is changed
in Xero. Changes since the last pull are not differences. The run's event lists data sets that have not been pulled yet.

It also renews Xero tokens that were not used for a month, such as those of organisations that are switched off: Xero
expires them after 60 days.

Weekly at 16:00 UTC on Sunday: Monday 2 am in Sydney (3 am in summer), midnight in Perth. *Trigger* compares now, for
one organisation or all.
"""

from xero.dags import reconcile_dag

reconcile_dag(__doc__)
