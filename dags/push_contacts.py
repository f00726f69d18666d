"""
### Airflow DAG: new contacts to Xero

Customers and suppliers of QicWorks that Xero does not have. Each is looked for first: by QicWorks' number, the exact
name, the ABN and the email. One certain match is linked, and nothing is sent. If it may be one of several, or an
archived one, a user decides. Otherwise it is created, if the organisation's setting `new_contacts` says so. Later
changes of those that QicWorks created are sent.

Every 15 minutes; *Trigger* pushes now, for one organisation or all, or only certain contacts. `dry_run` lists in the
log of `push` which contacts would be sent and which refused, and sends nothing. A push of documents takes new contacts
along, contacts first.

Each `push` task is one organisation. A contact that fails has an ERROR line in the log that says what to do; it does
not fail the task, unless it was named in `document_ids`. Any other failed (red) task means that the organisation could
not be processed: its log ends with the cause and the fix. No contact is created twice in Xero.
"""

from xero.dags import push_dag

push_dag("contacts", __doc__)
