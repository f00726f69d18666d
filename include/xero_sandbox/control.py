"""The control API, for tests and demonstrations. JSON in and out; a wrong order is a 400 or 404 with {"error": …}.

Below, ORG is /sandbox/organisations/{tenant id}, LIST is ORG and one of the collections that GET
/sandbox/organisations counts (ORG/Contacts, ORG/EarningsRates), and {id} is the record's own (ContactID, TaxType).

| call | body | does |
|---|---|---|
| GET /sandbox/health | | {"status": "ok", "profile", "seed", "now"} |
| GET /sandbox/settings | | the switches, as in `xero_sandbox.settings` |
| PATCH /sandbox/settings | {name: value} | changes some of them; answers with all |
| POST /sandbox/reset | {"seed", "profile", "contacts": {name: n}, "same_second": n or "all"} | a new world, see below |
| | "invoices", "staff", "earnings_rates": {name: n} | like "contacts"; an organisation without staff has no payroll |
| GET, DELETE /sandbox/faults | | the orders with what is left of them and their "hits"; or forgets them |
| DELETE /sandbox/faults | {"name"} | forgets those of that name |
| POST /sandbox/faults | an order or a list (`xero_sandbox.faults`) | adds; a call gets the first that matches |
| GET, DELETE /sandbox/calls | | every call to Xero's paths, Authorization as a hash; or forgets them, and stats |
| GET /sandbox/stats | | counts by status, path, tenant, grant; refreshes, max_in_flight, max_in_window, refused |
| PUT /sandbox/limits | {"tenant", "day_remaining": n} | as if only n calls were left today |
| DELETE /sandbox/limits | | windows and days start afresh |
| GET /sandbox/organisations | | [{"tenant", "name", "timezone", "payroll", "connected", "counts": {collection: n}}] |
| GET, PATCH ORG | fields | the organisation's own record; a new Name is also the connection's tenantName |
| PATCH ORG | {"_payroll": false} | ends or begins the organisation's payroll, its records stay |
| POST ORG/payruns/post | {"calendar": id} or {} | posts the calendar's draft, or all: {"payruns", "employees": [id]} |
| POST ORG/payruns/draft | {"calendar": id} | drafts its next run as a payroll officer would; answers like post |
| GET /sandbox/canaries | | {"canaries": [text], "kinds": {field: [text]}}: the secrets of all employees |
| GET LIST | | the whole truth, unpaged, as an array |
| GET LIST/{id} | | one record |
| POST LIST | a record | adds it; a missing id is made up |
| PATCH LIST/{id} | fields, "_touch": false | changes a record, raw values too; stamps it unless told not to |
| DELETE LIST/{id} | | removes it without a trace |
| POST ORG/bookkeeping | {"do": act, …} | as a user in Xero would, see below; {collection: [changed records]} |
| GET ORG/attachments/{document id} | | [{"FileName", "MimeType", "ContentLength", "sha256"}] |
| POST LIST/touch | {"share"}, {"count"} or {"ids"}; "rename": false | stamps and renames; {"touched": [id]} |
| GET, DELETE /sandbox/drift | | the orders, with what is "left" and "changed" (ids); or forgets them |
| PUT /sandbox/drift | {"tenant", "collection", "changes_per_page", "total"} | records change after each page |
| GET, PUT /sandbox/clock | {"offset_seconds"} or {"now": ISO} | moves the clock; tokens age with it, limits do not |
| PUT /sandbox/clock | {"ahead_by": seconds} | puts a wrong clock right: no time has passed, refresh tokens do not age |
| GET /sandbox/connections | | by owner: "app" is client_credentials, "user" the signed-in user |
| POST /sandbox/connections | {"tenant"} | connects it (again) to the custom connection |
| DELETE /sandbox/connections/{id} | | as if the user disconnected the organisation in Xero |
| GET /sandbox/tokens | | {"refresh_tokens", "codes"}: all that were given out, codes until they are used |
| POST /sandbox/revoke | | the user takes the app away: no consent holds, nothing is connected |
| POST /sandbox/authorise | {"scope", "redirect_uri", "tenants": [id]} | a consent without the page: {"code"} |

A reset recreates data, settings, clock, limits, faults, calls, drift, connections and refresh tokens; seed and profile
stay the same unless given. Access tokens are signed: they stay valid while the seed is the same. A stamp is the
sandbox's clock, at least a millisecond after the stamp before; a PATCH that sets UpdatedDateUTC itself is not stamped.

Invoices, bills, credit notes and purchase orders can be written, their attachments and notes too; the switches
`deleted_numbers_reusable`, `lock_dates_bind_drafts`, `approval_limit`, `urls_kept`, `element_order` and
`purchase_order_attachments` say how where Xero's own behaviour is not known. ExpenseClaims and Receipts are gone: 404.
What was written under an Idempotency-Key is answered again for six minutes of the sandbox's clock (payroll: only with
`payroll_idempotency`), and the call is "replayed" among the calls, which also have the "sha256" of their bodies.

Bookkeeping knows these acts; dates are YYYY-MM-DD and today in the organisation when left out, an amount left out is
all there is. What Xero would refuse is a 400 with its words.

| do | with |
|---|---|
| approve, void, delete | invoice (a bill, too), or credit (a credit note), or purchase_order |
| edit | the same, and fields: {Xero's name: value}, see below |
| bill | purchase_order |
| pay | invoice, amount, date, reference |
| pay_batch | invoices, date, reference |
| delete_payment | payment (a refund, too) |
| overpay | invoice, by, date, reference: pays in full, the rest becomes an overpayment |
| credit | invoice, amount, date, credit: allocates a new credit note, or the one of that id |
| apply_overpayment, apply_prepayment | invoice, amount, date, credit: allocates one with enough left, or a new one |
| remove_credit | invoice, credit: takes that allocation off, or the last one |
| refund | credit, amount, date, reference: pays a credit out |
| enter_leave | fields as the API takes them, units, status: SCHEDULED or REQUESTED |
| edit_leave | leave, fields, units |
| approve_leave, reject_leave | leave |
| take_leave | leave, periods: as pay runs that are posted do; all that is scheduled, or what begins on these days |

`edit` is what a bookkeeper types in Xero: the number, texts, dates, Contact, LineAmountTypes, Url, SentToContact,
CurrencyCode, CurrencyRate, and LineItems, which are then all lines in their order: one with its LineItemID keeps what
it does not name, one without is new, one that is left out goes. null or "" empties a text or a date. A line of which
no quantity, price or tax is changed keeps its amounts. What was paid or allocated takes only what leaves its amounts
as they are. `units` of leave are the hours or days of each pay period in turn; without them each weekday counts.

Payroll is written through Xero's own paths: Employees with their pay templates, LeaveApplications, /approve, /reject. A
template's lists are replaced, kept or merged as pay_template_write says; payroll_partial, qualifying_earnings_required,
leave_created_as, overlapping_leave_refused, approved_leave_has_new_id and leave_v2_modified_since are the other
switches. A pay run, drafted or posted without a draft, has
the templates and the leave that are there at that moment: a payslip with leave shows LeaveEarnings and
LeaveEarningsLines, in the control API alone. Posting makes that leave PROCESSED and moves the calendar on; what was
approved after the draft is not paid by it. DELETE ORG/PayRuns/{id} deletes a draft, so that it can be drafted again.
"""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from xero_sandbox import changing, payroll, steering
from xero_sandbox.current import Current
from xero_sandbox.problems import Problem
from xero_sandbox.steering import Action, Order
from xero_sandbox.wire import decode, encode

ORG = "/sandbox/organisations/{tenant}"
LIST = ORG + "/{collection}"

ACTIONS: tuple[tuple[str, str, Action], ...] = (
    ("GET", "/sandbox/health", steering.health),
    ("GET", "/sandbox/settings", steering.settings),
    ("PATCH", "/sandbox/settings", steering.set_settings),
    ("POST", "/sandbox/reset", steering.reset),
    ("GET", "/sandbox/faults", steering.faults),
    ("POST", "/sandbox/faults", steering.add_faults),
    ("DELETE", "/sandbox/faults", steering.forget_faults),
    ("GET", "/sandbox/calls", steering.calls),
    ("DELETE", "/sandbox/calls", steering.forget_calls),
    ("GET", "/sandbox/stats", steering.stats),
    ("PUT", "/sandbox/limits", steering.set_day_remaining),
    ("DELETE", "/sandbox/limits", steering.fresh_limits),
    ("GET", "/sandbox/clock", steering.clock),
    ("PUT", "/sandbox/clock", steering.set_clock),
    ("GET", "/sandbox/connections", steering.connections),
    ("POST", "/sandbox/connections", steering.connect),
    ("DELETE", "/sandbox/connections/{id}", steering.disconnect),
    ("GET", "/sandbox/tokens", steering.tokens),
    ("POST", "/sandbox/revoke", steering.revoke),
    ("POST", "/sandbox/authorise", steering.authorise),
    ("GET", "/sandbox/organisations", changing.organisations),
    ("GET", ORG, changing.organisation),
    ("PATCH", ORG, changing.change_organisation),
    ("POST", ORG + "/payruns/post", payroll.post_pay_run),
    ("POST", ORG + "/payruns/draft", payroll.draft_pay_run),
    ("GET", "/sandbox/canaries", payroll.canaries),
    ("GET", ORG + "/attachments/{id}", changing.attachments),
    ("GET", LIST, changing.records),
    ("GET", LIST + "/{id:path}", changing.record),
    ("POST", ORG + "/bookkeeping", changing.keep_books),
    ("POST", LIST, changing.add_record),
    ("POST", LIST + "/touch", changing.touch),
    ("PATCH", LIST + "/{id:path}", changing.change_record),
    ("DELETE", LIST + "/{id:path}", changing.remove_record),
    ("GET", "/sandbox/drift", changing.drifts),
    ("PUT", "/sandbox/drift", changing.set_drift),
    ("DELETE", "/sandbox/drift", changing.forget_drifts),
)


class Control:
    """ASGI for everything under /sandbox."""

    def __init__(self, current: Current) -> None:
        self._current = current
        self._router = Router([self._route(*action) for action in ACTIONS])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._router(scope, receive, send)

    def _route(self, method: str, path: str, action: Action) -> Route:
        async def handle(request: Request) -> Response:
            content = await request.body()
            status = 200
            try:
                body = decode(content) if content else {}
                answer = action(Order(self._current, dict(request.path_params), body))
            except Problem as problem:
                answer, status = msgspec.Raw(problem.reply.body), problem.reply.status
            except KeyError as error:
                answer, status = {"error": f"{error} is not there"}, 404
            except (ValueError, TypeError) as error:
                answer, status = {"error": str(error)}, 400
            return Response(encode({} if answer is None else answer), status, media_type="application/json")

        return Route(path, handle, methods=[method])
