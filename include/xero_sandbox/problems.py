"""Refusals in Xero's shapes. An endpoint raises `Problem`, the gateway sends its reply."""

from __future__ import annotations

from uuid import uuid4

from xero_sandbox.wire import Reply, json_reply, text_reply


class Problem(Exception):
    """Ends a call with this reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def _titled(status: int, title: str, detail: str) -> Problem:
    shape = {"Type": None, "Title": title, "Status": status, "Detail": detail, "Instance": str(uuid4())}
    return Problem(json_reply({**shape, "Extensions": {}}, status))


def token_expired(when: str) -> Problem:
    """401 for an access token past its time; `when` is MM/DD/YYYY HH:MM:SS in UTC."""
    return _titled(401, "Unauthorized", f"TokenExpired: token expired at {when}")


def not_signed_in() -> Problem:
    """401 for a missing, unknown or revoked access token."""
    return _titled(401, "Unauthorized", "AuthenticationUnsuccessful")


def missing_scope(status: int = 401) -> Problem:
    return _titled(status, "Unauthorized" if status == 401 else "Forbidden", "AuthorizationUnsuccessful")


def no_payroll(refusal: str) -> Problem:
    """An organisation without payroll, or a user who may not see it; `refusal` is a status and a detail."""
    status, _, detail = refusal.partition(" ")
    return _titled(int(status), "Unauthorized" if status == "401" else "Forbidden", detail)


def not_connected() -> Problem:
    """403 for an organisation that is not connected (any more), or not named."""
    return _titled(403, "Forbidden", "AuthenticationUnsuccessful")


def internal_error() -> Problem:
    shape = {
        "Title": "An error occurred",
        "Detail": "An error occurred in Xero. Check the API Status page",
        "Status": 500,
        "Instance": str(uuid4()),
    }
    return Problem(json_reply(shape, 500))


def unavailable() -> Problem:
    return Problem(text_reply("The Xero API is currently offline for maintenance", 503))


def html_page(status: int = 503) -> Problem:
    page = "<html><head><title>Xero</title></head><body><h1>We'll be back soon</h1></body></html>"
    return Problem(text_reply(page, status, "text/html; charset=utf-8"))


def not_found() -> Problem:
    return Problem(text_reply("The resource you're looking for cannot be found", 404))


def not_implemented() -> Problem:
    return Problem(text_reply("The method you are calling has not been implemented", 501))


def bad_query(message: str) -> Problem:
    return Problem(json_reply({"ErrorNumber": 16, "Type": "QueryParseException", "Message": message}, 400))


def refused_request(message: str) -> Problem:
    """400 that names no element: the request as a whole is at fault."""
    return Problem(json_reply({"ErrorNumber": 10, "Type": "ValidationException", "Message": message}, 400))


def bad_condition() -> Problem:
    return Problem(text_reply("One or more conditions given in the request header fields were invalid.", 412))


def oauth_error(error: str, status: int = 400) -> Problem:
    return Problem(json_reply({"error": error}, status))


def too_many(problem: str, retry_after: float | None) -> Problem:
    """429; `retry_after` in seconds, rounded up, left out when None."""
    reply = text_reply("Rate Limit Exceeded", 429)
    reply.headers["X-Rate-Limit-Problem"] = problem
    if retry_after is not None:
        reply.headers["Retry-After"] = str(max(1, -int(-retry_after // 1)))
    return Problem(reply)
