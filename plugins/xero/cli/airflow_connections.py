"""Airflow connections for the command line: reads `AIRFLOW_CONN_<ID>` as Airflow does, without importing Airflow."""

import json
import os
import sys
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from xero.composition import NoSuchConnection


@dataclass(frozen=True)
class AirflowConnection:
    """The fields of an Airflow connection that are used here."""

    conn_type: str | None = None
    host: str | None = None
    schema: str | None = None
    login: str | None = None
    password: str | None = None
    port: int | None = None
    extra: Any = None


def get(conn_id: str) -> Any:
    """The connection of that id, as Airflow would find it: its secrets backend, the environment, its database.

    Raises:
        NoSuchConnection: there is none.
        ValueError: the variable is neither JSON nor a URI; it is not repeated.
    """
    value = os.environ.get(f"AIRFLOW_CONN_{conn_id.upper()}")
    if value and not _has_secrets_backend():
        return parse(conn_id, value)
    if "airflow" not in sys.modules:
        # Outside its own processes, Airflow only reads its stores if this says that the process is one of its servers.
        os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    # Airflow takes seconds to import, so it is imported only here.
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise NoSuchConnection(conn_id) from None


def _has_secrets_backend() -> bool:
    """Whether Airflow would ask a secrets backend first, whose connection may be another one."""
    if any(os.environ.get(f"AIRFLOW__SECRETS__BACKEND{how}") for how in ("", "_CMD", "_SECRET")):
        return True
    home = Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()
    file = ConfigParser(interpolation=None, strict=False)
    try:
        file.read(os.environ.get("AIRFLOW_CONFIG") or home / "airflow.cfg", encoding="utf-8")
    except (ConfigParserError, UnicodeDecodeError):
        return True  # Airflow says what is wrong with its file
    names = ("backend", "backend_cmd", "backend_secret")
    return any(file.get("secrets", name, fallback="").strip() for name in names)


def parse(conn_id: str, value: str) -> AirflowConnection:
    """ValueError, which does not repeat the value, if it is neither JSON nor a URI."""
    name = f"AIRFLOW_CONN_{conn_id.upper()}"
    if value.lstrip().startswith("{"):
        try:
            fields = json.loads(value)
        except ValueError:
            raise ValueError(f"{name} is not valid JSON") from None
        known = {field: fields.get(field) for field in ("conn_type", "host", "schema", "login", "password")}
        texts = {field: None if value is None else str(value) for field, value in known.items()}
        port = str(fields.get("port") or "")
        if port and not port.isdecimal():
            raise ValueError(f"the port in {name} is not a number")
        return AirflowConnection(**texts, port=int(port) if port else None, extra=fields.get("extra"))
    return _parse_uri(name, value)


def _parse_uri(name: str, value: str) -> AirflowConnection:
    scheme, separator, rest = value.partition("://")
    if not separator:
        raise ValueError(f"{name} is neither JSON nor a URI such as postgres://user:password@host:5432/name")
    # The host may bring a scheme of its own: xero://http://…
    inner, has_inner, after = rest.partition("://")
    has_inner_scheme = bool(has_inner) and inner.isalpha()
    try:
        parts = urlsplit(f"//{after if has_inner_scheme else rest}")
        port = parts.port
    except ValueError:
        raise ValueError(f"{name} is not a valid URI") from None
    netloc_host = parts.netloc.rpartition("@")[2]
    host = unquote(netloc_host.rpartition(":")[0] if port is not None else netloc_host) or None
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return AirflowConnection(
        conn_type=scheme,
        host=f"{inner}://{host}" if has_inner_scheme and host else host,
        schema=unquote(parts.path.lstrip("/")) or None,
        login=unquote(parts.username) if parts.username is not None else None,
        password=unquote(parts.password) if parts.password is not None else None,
        port=port,
        extra=query.get("__extra__") or query or None,
    )
