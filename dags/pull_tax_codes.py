"""
### Airflow DAG: tax codes from Xero

Every tax rate of every connected organisation, and what it may be used for. Xero cannot say which changed, so all are
read, in one call, and compared; one that is no longer in use stays in QicWorks, inactive.

Each night at the organisation's own 2 am; *Trigger* pulls at once, for one organisation or all.
A red instance of `pull` is one organisation: its log says what went wrong and what to do; the others are not affected.
"""

from xero.dags import pull_dag

pull_dag("tax_codes", __doc__)
