"""The switches: limits, and how the server behaves where Xero's own behaviour is not known."""

from __future__ import annotations

from typing import Literal

import msgspec

Refusal = Literal[
    "403 AuthorizationUnsuccessful",
    "401 AuthorizationUnsuccessful",
    "403 AuthenticationUnsuccessful",
    "401 AuthenticationUnsuccessful",
]


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """All can be read and changed under /sandbox/settings; a reset puts them back."""

    ims_bound: str = "inclusive"  # or exclusive: whether If-Modified-Since includes the second it names
    sorts: bool = True  # whether `order` is honoured
    filters: bool = True  # whether If-Modified-Since is honoured
    pagination_object: bool = True
    max_page_size: int = 1000
    gzip: bool = True
    unknown_fields: bool = False  # adds fields and enum values that no specification names
    deleted_payments_listed: bool = True  # whether GET /Payments has DELETED ones
    payments_bump_invoices: bool = True  # whether paying moves the invoice's UpdatedDateUTC
    limits: bool = True
    window: str = "fixed"  # or sliding
    minute_limit: int = 60  # calls per organisation and window
    minute_seconds: float = 60.0
    day_limit: int = 5000
    day_seconds: float = 86_400.0
    concurrent_limit: int = 5
    app_limit: int = 10_000  # calls of all organisations together per window
    latency_ms: tuple[float, float] = (0.0, 0.0)
    access_token_seconds: float = 1800.0
    refresh_grace_seconds: float = 1800.0
    refresh_idle_seconds: float = 60 * 86_400.0
    code_seconds: float = 300.0
    terminated_listed: bool = True  # whether the list of employees has the terminated ones
    payitems_paging: Literal["none", "each", "all"] = (
        "none"  # pages of 100 of each array, of all four together, or none
    )
    payroll_role: bool = True  # whether the user may see payroll; without it all organisations refuse
    payroll_refusal: Refusal = "403 AuthorizationUnsuccessful"  # of an organisation without payroll, too
    deleted_numbers_reusable: bool = False  # whether a new document may have the number of a deleted or voided one
    lock_dates_bind_drafts: bool = False  # whether drafts, too, must be dated after the lock dates
    approval_limit: int | None = None  # how many invoices and bills can be approved through the API, by organisation
    null_empties_dates: bool = False  # whether null takes a date away; if not, it is as if it were not sent
    base_currency_listed: bool = True  # whether GET /Currencies lists the own one where there is no other
    urls_kept: bool = True  # whether an invoice keeps its Url
    element_order: Literal["as_sent", "reversed", "errors_last"] = "as_sent"  # of the answer to a batch
    purchase_order_attachments: bool = True  # whether purchase orders take attachments
    payroll_idempotency: bool = False  # whether payroll honours the Idempotency-Key
    pay_run_bumps_employees: bool = False  # whether posting a pay run moves its employees' UpdatedDateUTC
    pay_template_write: Literal["replace", "replace_sent", "merge"] = (
        "replace"  # arrays of a template that are left out: emptied, kept; or lines are matched, none goes
    )
    qualifying_earnings_required: bool = True  # whether a leave line must say IsQualifyingEarnings
    payroll_partial: Literal["all", "each"] = (
        "all"  # one bad employee or leave refuses all of the call, or only itself: 200 if any was good
    )
    employee_updates_need_person: bool = False  # whether an update must repeat the names and the date of birth
    leave_created_as: Literal["SCHEDULED", "REQUESTED"] = "SCHEDULED"
    overlapping_leave_refused: bool = True  # of the same type
    approved_leave_has_new_id: bool = False  # whether a request that is approved has another id until it is rejected
    leave_v2_modified_since: bool = False  # whether /LeaveApplications/v2 filters by If-Modified-Since, or is a 500

    def changed(self, changes: dict[str, object]) -> Settings:
        """A copy with these changes. ValueError when a name, a type or a choice is wrong."""
        new = msgspec.convert({**msgspec.to_builtins(self), **changes}, Settings)
        for name, choices in (("ims_bound", ("inclusive", "exclusive")), ("window", ("fixed", "sliding"))):
            if getattr(new, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}")
        return new
