"""
### Airflow DAG: the chart of accounts from Xero

Every account of every connected organisation with its code, type, class and default tax code. An archived account stays
in QicWorks, inactive; a bank account may have no code.

Each night at the organisation's own 2 am; *Trigger* pulls at once, for one organisation or all.
One call reads what changed since the last run.
A red instance of `pull` is one organisation: its log says what went wrong and what to do; the others are not affected.
"""

from xero.dags import pull_dag

pull_dag("chart_of_accounts", __doc__)
