"""
### Airflow DAG: tie-out of what was pushed with Xero

For a period, compares every document that QicWorks pushed (invoices, bills, expenses, credit notes, purchase orders,
leave) with Xero, field by field, and what is paid of it. Pay is not part of it yet. First it reads all records that
follow documents in full, so green means: checked now, and equal. Documents count by their issue date, leave by its
first day; documents without a date always count.

A difference does not fail the task: the work was done. It is a warning in the organisation's event, a line in the
task's log, and stays under Xero → Tie-out. The task fails (red) if Xero could not be read.

The asset `qicworks://tie_out` is updated only if every organisation of the run was checked and is equal: let a DAG for
the end of the month wait for it. Its `extra` has the period (null: the current month), the organisations, how many
documents, `not_part` (which types of documents were not compared: pay), and `everyone`: false if the run was of one
organisation.

Weekly at 18:00 UTC on Sunday, after `reconcile`. *Trigger* ties out now: another period, one organisation, or with
*Heal*.
"""

from xero.dags import tie_out_dag

tie_out_dag(__doc__)
