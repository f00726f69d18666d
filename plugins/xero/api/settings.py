"""Reads an Airflow connection of type Xero: the credentials, hosts, grant and limits of a Xero app."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import urlsplit, urlunsplit

from xero.api.errors import Misconfigured

GrantType = Literal["authorization_code", "client_credentials"]

API_HOST = "https://api.xero.com"
IDENTITY_HOST = "https://identity.xero.com"
LOGIN_HOST = "https://login.xero.com"
SCOPES = (
    "offline_access",
    "accounting.contacts",
    "accounting.settings",
    "accounting.invoices",
    "accounting.payments.read",
    "accounting.attachments",
    "payroll.employees",
    "payroll.settings.read",
    "payroll.payruns.read",
)
#: The scope of each endpoint, by the beginning of its path. To read only, the scope that ends in .read is enough.
ENDPOINT_SCOPES = {
    "/api.xro/2.0/Contacts": "accounting.contacts",
    "/api.xro/2.0/Invoices": "accounting.invoices",
    "/api.xro/2.0/CreditNotes": "accounting.invoices",
    "/api.xro/2.0/PurchaseOrders": "accounting.invoices",
    "/api.xro/2.0/Payments": "accounting.payments.read",
    "/api.xro/2.0/TrackingCategories/": "accounting.settings",
    "/api.xro/2.0": "accounting.settings.read",
    "/payroll.xro/1.0/PayRuns": "payroll.payruns.read",
    "/payroll.xro/1.0/PayItems": "payroll.settings.read",
    "/payroll.xro/1.0/PayrollCalendars": "payroll.settings.read",
    "/payroll.xro/1.0": "payroll.employees",
}
# The database stores the time of each call of the last minute, and scans them at each call: 2 ms at 1,000 calls.
MAX_MINUTE_LIMIT = 1_000
# Some parsers read a backslash as a slash, or drop control characters, and so would see another address.
_NOT_IN_A_PATH = re.compile(r"[\\\x00-\x20\x7f]")
# They belong to a user who signs in; a custom connection has no user.
USER_SCOPES = frozenset({"offline_access", "openid", "profile", "email"})
# A custom connection has only the scopes that were chosen when it was registered: one more would fail all of its calls.
CUSTOM_SCOPES = tuple(
    "accounting.settings.read" if scope == "accounting.settings" else scope
    for scope in SCOPES
    if scope not in USER_SCOPES
)


@dataclass(frozen=True, slots=True)
class XeroApp:
    """One app registered with Xero, as one Airflow connection of type ``xero`` describes it.

    Hosts are base URLs without a trailing slash. ``minute_limit`` and ``concurrent_limit`` count per organisation,
    ``app_limit`` over all of them; the minute limits are per ``minute_seconds`` (Xero: 60). ``day_limit`` None: told
    apart from Xero's answers (1,000 or 5,000).
    """

    client_id: str
    client_secret: str = field(repr=False)
    api_host: str = API_HOST
    identity_host: str = IDENTITY_HOST
    login_host: str = LOGIN_HOST
    grant_type: GrantType = "authorization_code"
    scopes: tuple[str, ...] = SCOPES
    redirect_uri: str | None = None
    token_keys: tuple[str, ...] = field(default=(), repr=False)
    minute_limit: int = 60
    minute_seconds: float = 60.0
    concurrent_limit: int = 5
    app_limit: int = 10_000
    day_limit: int | None = None

    @classmethod
    def from_connection(cls, conn: Any) -> XeroApp:
        """Read an Airflow connection, or anything with its login, password, host, schema, port and extra.

        Raises Misconfigured, naming the field, when something is missing or cannot be understood.
        """
        if (kind := getattr(conn, "conn_type", None) or "xero") != "xero":
            raise _invalid("conn_type", f"is {kind}: only a connection of type xero is a Xero app")
        extra = _extra(conn.extra)
        grant_type = str(extra.get("grant_type") or "authorization_code")
        if grant_type not in ("authorization_code", "client_credentials"):
            raise _invalid("extra.grant_type", "must be authorization_code or client_credentials")
        default_scopes = SCOPES if grant_type == "authorization_code" else CUSTOM_SCOPES
        limits = _limits(extra.get("limits"))
        return cls(
            client_id=_credential(conn.login, "login (the client id)"),
            client_secret=_credential(conn.password, "password (the client secret)"),
            api_host=_api_host(conn),
            identity_host=_host(extra.get("identity_host") or IDENTITY_HOST, "extra.identity_host"),
            login_host=_host(extra.get("login_host") or LOGIN_HOST, "extra.login_host"),
            grant_type=cast(GrantType, grant_type),
            scopes=_words(extra.get("scopes"), "extra.scopes") or default_scopes,
            redirect_uri=str(extra["redirect_uri"]) if extra.get("redirect_uri") else None,
            token_keys=_words(extra.get("token_keys"), "extra.token_keys"),
            minute_limit=int(limits.get("minute_limit", 60)),
            minute_seconds=float(limits.get("minute_seconds", 60.0)),
            concurrent_limit=int(limits.get("concurrent_limit", 5)),
            app_limit=int(limits.get("app_limit", 10_000)),
            day_limit=int(limits["day_limit"]) if "day_limit" in limits else None,
        )

    @staticmethod
    def scope_of(path: str) -> str:
        """Returns the scope that Xero requires for this path."""
        if "/Attachments" in path:
            return "accounting.attachments"
        return next((scope for start, scope in ENDPOINT_SCOPES.items() if path.startswith(start)), "of this data")

    def url(self, path: str) -> str:
        """The address of a path such as ``/api.xro/2.0/Contacts`` on this app's host, and on no other.

        ValueError for anything else: the bearer token goes wherever the address leads.
        """
        parts, host = urlsplit(path), urlsplit(self.api_host)
        if parts.scheme or parts.netloc or not path.startswith("/") or _NOT_IN_A_PATH.search(path):
            raise ValueError(f"{path!r} is not a path on {self.api_host}: a path begins with one slash")
        return urlunsplit((host.scheme, host.netloc, host.path + parts.path, parts.query, ""))


def _invalid(name: str, problem: str) -> Misconfigured:
    return Misconfigured(
        f"The Xero connection cannot be used: {name} {problem}.",
        f"Correct {name} in the Airflow connection of type Xero.",
    )


def _extra(extra: str | Mapping[str, Any] | None) -> Mapping[str, Any]:
    if not extra:
        return {}
    if isinstance(extra, str):
        try:
            extra = json.loads(extra)
        except ValueError:
            extra = None  # the parser's words would quote the extra, and with it the keys
    if not isinstance(extra, Mapping):
        raise _invalid("extra", "is not a JSON object")
    return extra


def _credential(value: str | None, name: str) -> str:
    value = (value or "").strip()
    if not value:
        raise _invalid(name, "is empty")
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise _invalid(name, "holds a space or a character that no Xero credential has; copy it again")
    return value


def _api_host(conn: Any) -> str:
    host = str(conn.host or API_HOST)
    if "://" not in host and conn.schema in ("http", "https"):
        host = f"{conn.schema}://{host}"
    if conn.port and not _has_port(host):
        host = f"{host.rstrip('/')}:{conn.port}"
    return _host(host, "host")


def _has_port(host: str) -> bool:
    return urlsplit(host if "://" in host else f"//{host}").netloc.rpartition(":")[2].isdigit()


def _host(value: object, name: str) -> str:
    """A base URL: https unless http is written out, and never http for Xero itself."""
    url = str(value).strip().rstrip("/").removesuffix(":0")  # a port of 0 is none
    url = url if "://" in url else f"https://{url}"
    try:
        parts = urlsplit(url)
        hostname, _ = parts.hostname, parts.port
    except ValueError:
        raise _invalid(name, "is not a host such as https://api.xero.com") from None
    if parts.scheme not in ("http", "https") or not hostname or parts.query or parts.fragment:
        raise _invalid(name, "is not a host such as https://api.xero.com")
    if parts.username or parts.password:
        raise _invalid(name, "must not hold a user name or a password")
    if parts.scheme == "http" and (hostname == "xero.com" or hostname.endswith(".xero.com")):
        raise _invalid(name, "must be https: the secret would travel in clear")
    return url


def _words(value: object, name: str) -> tuple[str, ...]:
    """A list, or text of words separated by commas or blanks; a list may itself be JSON text."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            raise _invalid(name, "is not a list") from None
    if isinstance(value, str):
        return tuple(value.replace(",", " ").split())
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
        raise _invalid(name, "must be a list of texts")
    return tuple(word.strip() for word in value if word.strip())


def _limits(value: object) -> dict[str, float]:
    """The extra ``limits``, for a server whose limits are not Xero's."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise _invalid("extra.limits", "is not a JSON object") from None
    known = ("minute_limit", "minute_seconds", "concurrent_limit", "app_limit", "day_limit")
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not set(value) <= set(known):
        raise _invalid("extra.limits", f"must be an object with any of {', '.join(known)}")
    limits: dict[str, float] = {}
    for name, number in value.items():
        try:
            limits[name] = float(number)
        except (TypeError, ValueError):
            raise _invalid(f"extra.limits.{name}", "is not a number") from None
        if not 0 < limits[name] < 1e9 or (name != "minute_seconds" and limits[name] < 1):
            raise _invalid(f"extra.limits.{name}", "is out of range")
        if name == "minute_limit" and limits[name] > MAX_MINUTE_LIMIT:
            raise _invalid(f"extra.limits.{name}", f"is over {MAX_MINUTE_LIMIT:,}, the most that can be kept count of")
    return limits
