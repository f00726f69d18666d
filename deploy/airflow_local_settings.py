"""What Airflow's own processes import before they fork tasks, so that no task pays for it again.

Airflow reads this file from `$AIRFLOW_HOME/config` in each of its processes. What is imported once, in 10 s, in a
process that forks tasks is there in every task. Without it each task imports for half a second, and one that validates
rows Great Expectations for 3 to 6 s more. Where there is a file of this name already, with policies perhaps, add the
last two lines to it.
"""

from xero import preloading

preloading.before_forks()
