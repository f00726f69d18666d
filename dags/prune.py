"""
### Airflow DAG: delete old records of the synchronisation

Deletes what this project stores about its own work: events, closed push requests with their contents, closed
rejections, abandoned staging data, expired sign-ins, unused call budgets and daily traffic. `keep_events_days` and the
other `keep_…_days` of `[xero]` in Airflow's configuration set how many days each is kept. What is still open, what a
recovery needs and the last event of each data set are always kept. QicWorks' own tables are not changed.

Daily at 18:00 UTC (4 or 5 am in Sydney, 2 am in Perth); with `dry_run` it only counts. One event, without an
organisation, reports what was deleted. It deletes a thousand rows at a time, so it is safe to stop, and to run during
pulls and pushes.
"""

from xero.dags import prune_dag

prune_dag(__doc__)
