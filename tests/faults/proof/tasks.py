"""Whether every task instance came to an end, and each red one has somebody who says why."""

from collections import Counter

from tests.faults.proof.facts import Facts, Result, Row

ENDED = ("success", "failed", "skipped", "upstream_failed", "removed")
RUNS_ENDED = ("success", "failed")
WATCHER = "watcher"  # red by design: it fails the run of an organisation that failed
WORST = ('"level":"error"', '"level":"critical"', '"level": "error"', '"level": "critical"')


def check(facts: Facts) -> Result:
    states = Counter(str(task["state"]) for task in facts.tasks)
    reasons: Counter[str] = Counter()
    wrong = [
        f"run {run['dag_id']} {run['run_id']} is {run['state']}" for run in facts.runs if run["state"] not in RUNS_ENDED
    ]
    events: dict[tuple[str, str, str], list[Row]] = {}
    for event in facts.events:
        events.setdefault((event["dag_id"], event["run_id"], event["task_id"]), []).append(event)
    audits = Counter((one["dag_id"], one["run_id"], one["task_id"], one["map_index"]) for one in facts.audits)
    for task in facts.tasks:
        if task["state"] not in ENDED:
            wrong.append(f"{named(task)} is {task['state']}")
        elif task["state"] == "failed":
            reason = why(task, events, audits, facts)
            reasons[reason or "none"] += 1
            if not reason:
                wrong.append(f"{named(task)} is red, and nothing says why")
    if not states["success"]:
        wrong.append("no task went well: this proves nothing")
    return Result(
        "every task ended, and every red one says why",
        f"{len(facts.runs)} runs, {sum(states.values())} tasks: {dict(states)}; the red ones: {dict(reasons)}",
        wrong,
    )


def why(task: Row, events: dict[tuple[str, str, str], list[Row]], audits: Counter[object], facts: Facts) -> str | None:
    if task["task_id"] == WATCHER:
        return "the organisation that failed"
    for event in events.get((task["dag_id"], task["run_id"], task["task_id"]), ()):
        mine = event["map_index"] in (task["map_index"], None)
        if mine and event["status"] == "error" and event["message"] and event["correction"]:
            return "its event"
    key = (task["dag_id"], task["run_id"], task["task_id"], task["map_index"])
    if audits[key]:
        return "Airflow's audit log"
    if any(worst in facts.task_logs.get(key, "") for worst in WORST):
        return "the error in its log"
    return None


def named(task: Row) -> str:
    return f"{task['dag_id']} {task['run_id']} {task['task_id']} [{task['map_index']}]"
