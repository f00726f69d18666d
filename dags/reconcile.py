"""
### Airflow DAG: reconcile QicWorks with Xero

Compares, for every data set of every connected organisation, how many records there are and when the newest changed,
for a handful of calls each. What differs is an event with status `warning` on that data set; nothing is changed. What
has changed since the last pull is no difference; of what was not pulled yet the run's event says so.

Beside that it renews authorisations that nothing has used for a month, such as those of connections that are switched
off: Xero forgets them after two.

Each Sunday; *Trigger* compares at once, for one organisation or all.
"""

from xero.dags import reconcile_dag

reconcile_dag(__doc__)
