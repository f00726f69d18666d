"""
### Airflow DAG: measure how QicWorks and Xero keep in step

Sends gauges through Airflow's own metrics: minutes since each data set was last loaded, documents that wait or failed,
open rejections, calls left today, connections that are down. Each is of the organisation for which it is worst, or of
all together. The names, and which to be alarmed by, are in the runbook.

Every five minutes where Airflow sends metrics (`[metrics] statsd_on` or `otel_on`), otherwise never; *Trigger* shows
the numbers as the result of its task. Xero is not asked.
"""

from xero.dags import measure_dag

measure_dag(__doc__)
