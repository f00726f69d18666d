"""
### Airflow DAG: morning digest of what needs attention

Sends what the Overview lists under *Needs attention* by email or Slack, to the recipients of the alerts: organisations
that need reconnecting or are all switched off, data sets that failed or are overdue, documents that failed or are stuck
in transit, and records that were not loaded. It is repeated every morning until it is resolved. If there is nothing to
report, nothing is sent.

Daily at 20:00 UTC (6 or 7 am in Sydney, 4 am in Perth) if alerts are configured, otherwise never. *Trigger* shows the
digest in the log of its task. Makes no calls to Xero.
"""

from xero.dags import digest_dag

digest_dag(__doc__)
