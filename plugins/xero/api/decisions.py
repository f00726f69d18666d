"""What a response of Xero's means: an outage, an expired token, a refusal, an organisation that has disconnected."""

from __future__ import annotations

from xero.api import errors
from xero.api.answers import Reason, bad
from xero.api.attempts import Expired
from xero.api.errors import (
    Disconnected,
    NotAvailable,
    ReconnectNeeded,
    Refused,
    RetryLater,
    cleaned,
    without_numbers,
)
from xero.api.limits import DEFAULT_WAIT
from xero.api.settings import XeroApp
from xero.api.tokens import Token


def decide(
    status: int, why: Reason, path: str, app: XeroApp, token: Token, *, renewed: bool, retry_after: float | None
) -> Exception:
    """What a response other than success or 429 means, as the exception to raise.

    Args:
        renewed: The token was renewed for this call already.
        retry_after: Seconds that the response says to wait.
    """
    payroll = path.startswith("/payroll.xro/")
    said = without_numbers(why.said) if payroll else why.said
    detail = cleaned(errors.field(said, "Detail") or "", token.access_token)
    unauthorised = "AuthorizationUnsuccessful" in detail
    if status >= 500 and status != 501:  # 501: Xero does not support that; a retry does not help
        failed = outage(f"HTTP {status}" + (f", {detail}" if detail else ""), retry_after)
        failed.server_failed = True
        return failed
    if 400 <= status < 500 and not why.own and status != 413:  # 413: too large, whoever sent it
        return outage(f"HTTP {status}, with a page that is not from Xero", retry_after)
    if status == 401 and not unauthorised and not renewed:
        return Expired()
    if status == 403 and "AuthenticationUnsuccessful" in detail:
        return Disconnected(
            "This organisation has disconnected the app in Xero.",
            "Ask the organisation to connect again, or switch its connection off here; the others are not affected.",
        )
    if status in (401, 403) and (unauthorised or payroll):
        return NotAvailable(
            f"Xero gives this app no access to {path} (HTTP {status}{', ' + detail if detail else ''}).",
            _missing(app.scope_of(path) if unauthorised else None, payroll),
        )
    if status == 401:
        return ReconnectNeeded(
            f"Xero refuses a token it has only just issued (HTTP 401{', ' + detail if detail else ''}).",
            "Connect to Xero again. If that does not help, check that the server's clock is right.",
        )
    if 300 <= status < 400:
        return bad(path, f"it points elsewhere (HTTP {status})")
    return Refused(status, said, token.access_token)


def _missing(scope: str | None, payroll: bool) -> str:
    """What to do about what Xero does not give."""
    steps = []
    if scope:
        steps.append(f"Add the scope {scope} to the Airflow connection if it is missing there, and connect again.")
    if payroll:
        steps.append(
            "This needs Xero Payroll, and a payroll administrator has to connect. Where the organisation has no "
            "payroll, there is nothing to do."
        )
    return " ".join(steps)


def outage(what: str, retry_after: float | None = None) -> RetryLater:
    return RetryLater(
        retry_after or DEFAULT_WAIT["outage"],
        "outage",
        f"Xero is not available: {what}.",
        "The next run resumes where this one stopped. If it lasts for more than an hour, check status.xero.com and the "
        "network here.",
    )
