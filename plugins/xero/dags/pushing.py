"""The DAGs that push: `connections` → `push`, mapped over the organisations that have something to push."""

import logging
from collections import Counter
from collections.abc import Iterable
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from xero import settings
from xero.dag_ids import push_dag_of
from xero.dags.alerting import callbacks
from xero.dags.asking import asked, origin, refusing
from xero.dags.groups import One, each, grouped, max_tasks
from xero.dags.organisations import BY_NAME, alert_lost, tell, which_organisation
from xero.dags.retrying import default_args
from xero.documents.declaration import Kind
from xero.documents.registry import named

log = logging.getLogger(__name__)

NOT_DONE = "not done"  # the name of the task that reports what cannot be done
# Everyone who may read the DAG may read a task's log, but only editors may preview requests.
WHERE_SHOWN = (
    "The requests themselves are shown by Preview, on a document's page, to those who may edit connections, and on the "
    "command line: `python -m xero push {name} --dry-run`."
)


def push_dag(name: str, doc: str | None) -> DAG:
    """The DAG `push_<name>` for the documents of that kind; `doc` is the docstring of the file that calls."""
    kind = named(name)

    with DAG(
        dag_id=push_dag_of(name),
        description=kind.help,
        doc_md=doc,
        schedule="*/15 * * * *",
        start_date=None,
        catchup=False,
        # A document that is pushed by hand must not wait for the run of all others.
        max_active_runs=16,
        # Nothing is sent before a person has switched it on. None: Airflow's setting for all DAGs.
        is_paused_upon_creation=settings.flag("push_paused_at_creation", True) or None,
        tags=["xero", "push", kind.table],
        default_args=default_args(),
        **callbacks(),
        params={
            "connection": which_organisation("all that have something to push"),
            "document_ids": which_documents(kind),
            "dry_run": Param(
                False,
                type="boolean",
                title="Dry run",
                description="Send nothing and change nothing: check the documents, and log in `push` which would be "
                f"sent and which refused, and why. {WHERE_SHOWN.format(name=name)}",
            ),
        },
    ) as dag:

        @task
        def connections() -> list[One]:
            """Returns connections with documents to push; logs skipped ones with the reason."""
            from xero.hooks import qicworks_engine
            from xero.qicworks.runs.outcome import Direction
            from xero.sync.runs import non_participants
            from xero.sync.runs.participants import select_connections_to_push

            context, called = get_current_context(), (Direction.PUSH, kind.name)
            params = asked(context, called)
            with refusing(context, called):
                found = select_connections_to_push(
                    qicworks_engine(), kind, params["connection"], listed(params["document_ids"])
                )
            tell(found.taken, found.left_out)
            alert_lost(context, found.left_out)
            if found.left_out or not (found.taken or found.undone):
                non_participants.warn(qicworks_engine(), *called, origin(context), waits=bool(found.left_out))
            # Names only: what cannot be done now may be possible when the task is cleared.
            undone = [one.wanted for one in found.undone]
            not_done = [{"organisation": NOT_DONE, "undone": undone}] if undone else []
            tasks = grouped(found.taken, len(not_done)) + not_done
            # Where Airflow maps over one task only, that one does both.
            return tasks if len(tasks) <= max_tasks() else [not_done[0] | {"members": found.taken}]

        @task(map_index_template=BY_NAME, multiple_outputs=False)  # else a request for each count
        def push(connection: One) -> dict[str, Any]:
            """One organisation. A document that fails has its own event and an ERROR here; the others continue."""
            from xero.api.errors import XeroError
            from xero.hooks import qicworks_engine
            from xero.qicworks.runs.outcome import Direction
            from xero.sync.push.flow import push as push_one
            from xero.sync.runs.outcome import Skip
            from xero.sync.runs.participants import select_connections_to_push
            from xero.sync.runs.requested import Reply, insist, now, record, shown

            context = get_current_context()
            # Again, as the task may be cleared where Airflow no longer passes settings on.
            dry_run, answers = asked(context, (Direction.PUSH, kind.name))["dry_run"], {}

            def answer(replies: list[Reply]) -> None:
                """Puts the result of each document that was requested by name into XCom `asked`."""
                answers.update({one.id or one.name: one.to_answer() for one in replies})
                context["ti"].xcom_push("asked", list(answers.values()))

            def answer_for(one: One) -> list[Reply]:
                replies = now(qicworks_engine(), kind, one["connection_id"], one["documents"], one["pushed_before"])
                answer(replies)
                return replies

            def work(one: One, open_client: Any) -> dict[str, Any]:
                by_name = one["documents"] is not None
                if dry_run and not by_name:
                    return show(kind, one)
                if dry_run:
                    who = one["connection_id"], one["documents"], one["pushed_before"]
                    replies = now(qicworks_engine(), kind, *who, files=False)
                    answer(replies)  # in case Xero cannot be read
                    counts: Counter[str] = Counter()
                    for place, reply in enumerate(replies):
                        found = show(kind, one | {"documents": [reply.id]})
                        replies[place] = shown(reply, sent=found["documents"], refused=found["refused"])
                        counts.update(found)
                    answer(replies)
                    insist(replies, None)
                    return dict(counts)
                try:
                    outcome = push_one(
                        kind,
                        one["connection_id"],
                        engine=qicworks_engine(),
                        open_client=open_client,
                        origin=origin(context),
                        documents=one["documents"],
                    )
                except (XeroError, Skip):  # it has its own event
                    if by_name:
                        answer_for(one)
                    raise
                if by_name:
                    replies = answer_for(one)
                    record(qicworks_engine(), kind, replies, origin(context))
                    insist(replies, context["ti"].try_number)
                return outcome.to_dict()

            if "undone" in connection:
                wanted = connection["undone"]
                names = None if None in wanted else wanted
                found = select_connections_to_push(qicworks_engine(), kind, context["params"]["connection"], names)
                answer(found.undone)
                if not dry_run:
                    record(qicworks_engine(), kind, found.undone, origin(context))
                members = connection.get("members", []) + found.taken
                done = each({"members": members}, context, Direction.PUSH, kind.name, work) if members else {}
                insist(found.undone)
                return done
            return each(connection, context, Direction.PUSH, kind.name, work)

        push.expand(connection=connections())
    return dag


def which_documents(kind: Kind) -> Param:
    called = "ids of QicWorks" if kind.payroll else "ids of QicWorks, or numbers"
    return Param(
        None,
        type=["null", "array", "string"],
        title="Documents",
        description=f"Only these: {called}, one a line (through the API: an array, or one text with commas between "
        "them). One that failed is retried. Leave empty for all that are ready.",
    )


def listed(named: Iterable[object] | str | None) -> list[str] | None:
    """The names of documents, given as an array or as a text with commas; None if none were given."""
    if named is None:
        return None
    if isinstance(named, str):
        lines = [line.strip().removesuffix(",") for line in named.splitlines() if line.strip()] or [""]
        named = [name for line in lines for name in line.split(",")]
    return ["" if name is None else str(name).strip() for name in named]


def show(kind: Kind, connection: dict[str, Any]) -> dict[str, int]:
    """Logs which documents a push would send and refuse, without the content of requests. Returns the counts."""
    from xero.hooks import open_client, qicworks_engine
    from xero.qicworks.texts import on_a_line
    from xero.sync.push.flow import preview

    counts = {"requests": 0, "documents": 0, "refused": 0}
    for shown in preview(
        kind,
        connection["connection_id"],
        engine=qicworks_engine(),
        open_client=open_client,
        documents=connection["documents"],
    ):
        for document, why, correction in shown.refused:
            log.error("%s would be refused: %s %s", document, on_a_line(why), on_a_line(correction))
        counts["refused"] += len(shown.refused)
        for line in (*shown.linked, *shown.defaults):
            log.info("%s", on_a_line(line))
        if shown.body is None:
            continue
        counts["requests"] += 1
        counts["documents"] += len(shown.documents)
        for document in shown.documents:
            log.info("%s would be sent", document)
    log.info("nothing was sent: %(documents)d would be, in %(requests)d requests; %(refused)d refused", counts)
    if counts["requests"]:
        log.info(WHERE_SHOWN.format(name=kind.name))
    return counts
