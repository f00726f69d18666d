#!/bin/sh
# Deletes the logs of tasks and of Airflow's own processes once they are older than AIRFLOW__LOG_RETENTION_DAYS; looks
# every hour. docker-compose.yaml has a service for it; Airflow's Helm chart runs it, as /clean-logs, beside each component.
set -eu

logs="${AIRFLOW_HOME:?is where Airflow keeps its logs}/logs"
days="${AIRFLOW__LOG_RETENTION_DAYS:-30}"
case "$days" in
  '' | *[!0-9]*) echo "AIRFLOW__LOG_RETENTION_DAYS is '$days', which is no number of days." >&2; exit 1 ;;
esac
mkdir -p "$logs"

pause=
trap 'test -z "$pause" || kill "$pause"; exit 0' TERM INT
while true; do
  # What goes wrong with one file is said, and tried again in an hour. A folder that is new is a task's that begins.
  find "$logs" -type f -name '*.log*' -mtime "+$days" -delete || true
  find "$logs" -mindepth 1 -type d -empty -mtime +1 -delete || true
  sleep 3600 >/dev/null 2>&1 &  # it must not hold our output open if TERM comes before it is known
  pause=$!
  wait "$pause"
done
