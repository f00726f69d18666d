"""
### Airflow DAG: tracking categories from Xero

Tracking categories and their options of every connected organisation; QicWorks' departments are options of one of them.
All are read, in one call, and compared; archived ones stay in QicWorks, inactive.

Each night at the organisation's own 2 am; *Trigger* pulls at once, for one organisation or all.
A red instance of `pull` is one organisation: its log says what went wrong and what to do; the others are not affected.
"""

from xero.dags import pull_dag

pull_dag("tracking_categories", __doc__)
