"""
### Airflow DAG: metrics of pulls and pushes

Sends gauges through Airflow's own metrics: minutes since each data set was last loaded, documents that are pending or
failed, open rejections, calls left today, connections that need reconnecting. Each gauge shows the worst organisation,
or the total. The runbook has the names, and the values to be alarmed by.

Every five minutes if Airflow sends metrics (`[metrics] statsd_on` or `otel_on`), otherwise never. *Trigger* shows the
numbers as the result of its task. Makes no calls to Xero.
"""

from xero.dags import measure_dag

measure_dag(__doc__)
