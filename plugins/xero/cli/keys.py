"""`keys rotate` and `keys check`: stored tokens under the newest of `token_keys`."""

import argparse
from collections import Counter

from rich.table import Table
from sqlalchemy import Engine

from xero.cli.terminal import app_of, complain, out, show
from xero.composition import NoSuchConnection
from xero.qicworks import database
from xero.qicworks.connect import token_keys
from xero.qicworks.connect.token_keys import Key, Seal, Stored


def add_arguments(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(required=True, metavar="ACTION")
    action = actions.add_parser("rotate", help="re-encrypt every stored token with the newest key")
    action.set_defaults(run=run_rotate)
    action = actions.add_parser("check", help="show which key each stored token needs, and which keys can be removed")
    action.set_defaults(run=run_check)


def run_rotate(engine: Engine, options: argparse.Namespace) -> int:
    with database.session(engine) as session:
        done = token_keys.rotate(session, app_of)
        _, keys = token_keys.check(session, app_of)
        seals = token_keys.seals(session, app_of)
    total = done.rotated.total()
    out.print(f"{total} re-encrypted with the newest key, {done.already} already used it")
    return _say(keys, done.unreadable, seals)


def run_check(engine: Engine, options: argparse.Namespace) -> int:
    with database.session(engine) as session:
        stored, keys = token_keys.check(session, app_of)
        seals = token_keys.seals(session, app_of)
    table = Table("Xero app", "authorisation", "state", "key")
    for one in stored:
        state = one.state if one.used else f"{one.state}, not used by any connection"
        table.add_row(one.airflow_conn_id, str(one.id), state, one.key or "none of the app's keys")
    show(table, "no token is stored")
    for conn_id, own in keys.items():
        for key in own:
            needed = f"needed by {key.needed_by}" if key.needed_by else "not needed"
            advice = "the newest" if key.newest else "run `keys rotate`" if key.needed_by else "can be removed"
            out.print(f"{conn_id}: key {key.fingerprint}: {needed}; {advice}")
    return _say(keys, [one for one in stored if one.key is None], seals)


def _say(keys: dict[str, list[Key]], unreadable: list[Stored], seals: list[Seal]) -> int:
    """Reports what no key decrypts. Apps without an Airflow connection are reported as such: their keys are unknown."""
    gone = {conn_id for conn_id, own in keys.items() if not own}
    for conn_id in sorted(gone):
        complain(f"{NoSuchConnection(conn_id)} Its encrypted data cannot be checked until then.")
    lost = _say_lost([one for one in unreadable if one.airflow_conn_id not in gone])
    return max(lost, _say_unsealed([one for one in seals if one.airflow_conn_id not in gone]), int(bool(gone)))


def _say_lost(unreadable: list[Stored]) -> int:
    """Reports tokens that no key decrypts. 1 if an organisation must be reconnected."""
    for one in unreadable:
        if one.renewable:
            what = "the app requests a new token automatically"
        elif one.lost:
            what = "put its key back into token_keys, behind the newest, or connect to Xero again"
        else:
            what = "it is no longer used"
        complain(f"{one.airflow_conn_id}: authorisation {one.id} cannot be decrypted with any key: {what}")
    return 1 if any(one.lost for one in unreadable) else 0


def _say_unsealed(seals: list[Seal]) -> int:
    """Reports seals made with a key that is no longer configured. 1 if there are any."""
    lost = [one for one in seals if one.key is None]
    for one in lost:
        if one.employee is None:
            complain(
                f"{one.airflow_conn_id}: the match of {one.organisation} was not sealed with any of the keys: put "
                "its key back into token_keys, behind the newest, or connect to Xero again"
            )
    for (conn_id, organisation), count in Counter(
        (one.airflow_conn_id, one.organisation) for one in lost if one.employee
    ).items():
        complain(
            f"{conn_id}: pay templates of {organisation} ({count}) were not sealed with any of the keys, so they are "
            "not pushed: put the key back, or see docs/troubleshooting.md, Pay without a seal"
        )
    return int(bool(lost))
