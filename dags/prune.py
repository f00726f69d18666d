"""
### Airflow DAG: prune what nobody needs any more

Deletes, of what this project keeps for itself: events, settled requests and what they contained, closed rejections,
abandoned stagings, expired consents, unused call budgets, days of traffic. How many days each is kept is said by
`keep_events_days` and others of `[xero]` in Airflow's configuration. What is open, what a recovery needs and the last
event of each data set never go, however old they are. QicWorks' own tables are not touched.

Each night; `dry_run` counts only. One event, without an organisation, says what went. It is safe to stop, and to run
beside pulls and pushes: it deletes a thousand rows at a time.
"""

from xero.dags import prune_dag

prune_dag(__doc__)
