"""
### Airflow DAG: the morning's digest of what needs a hand

Sends by e-mail or Slack, to whom the alerts go, what the Overview shows under *What needs a hand*: organisations that
have to be connected again or are all switched off, data sets that failed or are overdue, documents that failed or are
on their way for long, rejected rows. Every morning, as long as it lasts; nothing when nothing does.

At 20:00 UTC, the early morning in Australia, where alerts are configured; otherwise never. *Trigger* shows it in the
log of its task. Xero is not asked.
"""

from xero.dags import digest_dag

digest_dag(__doc__)
