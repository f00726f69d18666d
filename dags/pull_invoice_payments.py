"""
### Airflow DAG: invoice payments from Xero

Payments of invoices, and their deletion; paid to date, balance and status of the invoices that QicWorks pushed
follow Xero: part payments, batches, credit notes, prepayments and overpayments, voids. What Xero says of an invoice
is compared with its payments, and where they disagree the invoice itself is read.

It looks every 15 minutes for whom it is due: at midnight in the organisation's own time zone. It goes on from where
the last run came to, so that a missed night is caught up. *Trigger* pulls at once, for one organisation or all. A
red instance of `pull` is one organisation: its log says what went wrong and what to do; the others are not
affected.
"""

from xero.dags import pull_dag

pull_dag("invoice_payments", __doc__)
