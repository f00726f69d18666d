"""The DAGs' factories, for the thin files in `dags/`.

What costs time to import, and the database, are met inside the tasks only: the scheduler parses those files all day.
"""

from xero.dags.digesting import digest_dag
from xero.dags.measuring import measure_dag
from xero.dags.pruning import prune_dag
from xero.dags.pulling import pull_dag
from xero.dags.pushing import push_dag
from xero.dags.reconciling import reconcile_dag
from xero.dags.tying_out import tie_out_dag

__all__ = ["digest_dag", "measure_dag", "prune_dag", "pull_dag", "push_dag", "reconcile_dag", "tie_out_dag"]
