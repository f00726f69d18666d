"""Payroll AU: every answer read by xero-python, and what a client of it has to live with."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.exceptions import HTTPStatusException
from xero_python.payrollau import PayrollAuApi

ROOT = "/payroll.xro/1.0/"
HARBOUR, BAROSSA, KIMBERLEY = range(3)
HARBOURS_NAME = "Harbour & Sons Plumbing Pty Ltd"
#: Of an employee only by id.
SECRETIVE = (
    "home_address",
    "tax_declaration",
    "bank_accounts",
    "pay_template",
    "opening_balances",
    "super_memberships",
    "leave_balances",
)


@pytest.fixture
def payroll(sandbox: Any) -> PayrollAuApi:
    sandbox.settings(limits=False)
    token = {"access_token": sandbox.token, "expires_in": 1800, "token_type": "Bearer", "scope": []}
    client = ApiClient(
        Configuration(oauth2_token=OAuth2Token(client_id="demo-client", client_secret="-")),
        oauth2_token_getter=lambda: {**token, "refresh_token": "-"},
        oauth2_token_saver=lambda _: None,
    )
    return PayrollAuApi(client, base_url=f"{sandbox.url}/payroll.xro/1.0")


def rows(sandbox: Any, path: str, **how: Any) -> list[dict[str, Any]]:
    answer = sandbox.get(ROOT + path, **how)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()[path.partition("/")[0]]
    return found


def test_employees_as_the_library_reads_them(sandbox: Any, payroll: PayrollAuApi) -> None:
    listed = payroll.get_employees(sandbox.tenant()).employees
    assert len(listed) == 12
    assert not any(getattr(employee, name) for employee in listed for name in SECRETIVE)
    whole = [payroll.get_employee(sandbox.tenant(), employee.employee_id).employees[0] for employee in listed]
    for summary, employee in zip(listed, whole, strict=True):
        assert summary.updated_date_utc == employee.updated_date_utc
        assert (summary.first_name, summary.last_name) == (employee.first_name, employee.last_name)
        assert employee.home_address.address_line1
        assert employee.super_memberships[0].employee_number
        assert employee.bank_accounts[-1].remainder
        assert all(isinstance(balance.number_of_units, Decimal) for balance in employee.leave_balances)
        assert {line.is_qualifying_earnings for line in employee.pay_template.leave_lines} <= {True}
    assert len({employee.updated_date_utc.date() for employee in listed}) == len(listed)
    with pytest.raises(HTTPStatusException) as caught:
        payroll.get_employee(sandbox.tenant(), "00000000-0000-4000-8000-000000000000")
    assert caught.value.status == 404


def test_the_employees_that_trip_careless_programs(sandbox: Any) -> None:
    staff = sandbox.truth("Employees")
    names = Counter((e["FirstName"], e["LastName"], e.get("Email")) for e in staff)
    assert sorted(names.values())[-2:] == [1, 2]
    (gone,) = [e for e in staff if e["Status"] == "TERMINATED"]
    assert gone["TerminationDate"]
    assert gone["TerminationReason"]
    assert [e for e in staff if "Email" not in e]
    assert [e for e in staff if e["LeaveBalances"] == []]
    assert [e for e in staff if "PayrollCalendarID" not in e]
    assert any("'" in e["LastName"] for e in staff)
    assert not all(f"{e['FirstName']}{e['LastName']}".isascii() for e in staff)
    templates = [e["PayTemplate"] for e in staff]
    rates = [[line["EarningsRateID"] for line in template["EarningsLines"]] for template in templates]
    assert [lines for lines in rates if len(set(lines)) < len(lines)]
    assert [lines for lines in rates if len(set(lines)) > 1]
    kinds = {line["CalculationType"] for template in templates for line in template["EarningsLines"]}
    assert {"ANNUALSALARY", "ENTEREARNINGSRATE"} <= kinds
    for lines in ("SuperLines", "LeaveLines", "ReimbursementLines", "DeductionLines"):
        assert [template for template in templates if template[lines]], lines
    assert {b["TypeOfUnits"] for e in staff for b in e["LeaveBalances"]} == {"Hours", "Days"}


def test_a_list_has_a_hundred_to_the_page_and_says_nothing_of_it(sandbox: Any) -> None:
    sandbox.reset(staff={HARBOURS_NAME: 260})
    pages = [sandbox.get(ROOT + "Employees", page=page, pageSize=7).json() for page in (1, 2, 3, 4)]
    assert [len(page["Employees"]) for page in pages] == [100, 100, 60, 0]
    assert not any("pagination" in page for page in pages)
    ids = [employee["EmployeeID"] for page in pages for employee in page["Employees"]]
    truth = {employee["EmployeeID"]: employee for employee in sandbox.truth("Employees")}
    assert len(ids) == len(set(ids)) == 260
    assert set(ids) == set(truth)
    assert rows(sandbox, "Employees") == pages[0]["Employees"]
    newest = rows(sandbox, "Employees", order="UpdatedDateUTC DESC")
    moments = [int(employee["UpdatedDateUTC"][6:-7]) for employee in newest]
    assert moments == sorted(moments, reverse=True)
    since = datetime.fromtimestamp(moments[20] // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    changed = rows(sandbox, "Employees", since=since)
    assert sorted(employee["EmployeeID"] for employee in changed) == sorted(e["EmployeeID"] for e in newest[:21])
    gone = rows(sandbox, "Employees", where='Status=="TERMINATED"')
    assert 1 < len(gone) == sum(employee["Status"] == "TERMINATED" for employee in truth.values())
    sandbox.settings(terminated_listed=False)
    assert rows(sandbox, "Employees", where='Status=="TERMINATED"') == []
    left = [e for page in (1, 2, 3) for e in rows(sandbox, "Employees", page=page)]
    assert len(left) == 260 - len(gone)
    assert rows(sandbox, f"Employees/{gone[0]['EmployeeID']}")[0]["Status"] == "TERMINATED"


def test_pay_items(sandbox: Any, payroll: PayrollAuApi) -> None:
    items = payroll.get_pay_items(sandbox.tenant()).pay_items
    rates = items.earnings_rates
    assert {e.earnings_rate_id for e in rates} == {e["EarningsRateID"] for e in sandbox.truth("EarningsRates")}
    assert items.deduction_types
    assert items.reimbursement_types
    assert {kind.type_of_units for kind in items.leave_types} == {"Hours", "Days"}
    assert sorted(rate.current_record for rate in rates if rate.name == "Ordinary Hours") == [False, True]
    assert any(rate.allowance_type for rate in rates)
    raw = sandbox.get(ROOT + "PayItems").json()["PayItems"]
    assert any(isinstance(rate.get("RatePerUnit"), str) for rate in raw["EarningsRates"])
    sandbox.change("LeaveTypes", raw["LeaveTypes"][0]["LeaveTypeID"], Name="Longer leave")
    now = datetime.fromisoformat(sandbox.control("GET", "health")["now"])
    since = now.replace(second=0, microsecond=0).strftime("%Y-%m-%dT%H:%M:%S")
    changed = sandbox.get(ROOT + "PayItems", since=since).json()["PayItems"]
    assert [kind["Name"] for kind in changed.pop("LeaveTypes")] == ["Longer leave"]
    assert changed == {"EarningsRates": [], "DeductionTypes": [], "ReimbursementTypes": []}


def test_pages_of_pay_items_as_switched(sandbox: Any) -> None:
    sandbox.reset(earnings_rates={HARBOURS_NAME: 130})

    def sizes(**how: Any) -> list[int]:
        return [len(array) for array in sandbox.get(ROOT + "PayItems", **how).json()["PayItems"].values()]

    everything = sizes()
    assert everything == sizes(page=2) == [130, *everything[1:]]
    assert sum(everything[1:]) > 3
    sandbox.settings(payitems_paging="each")
    assert sizes() == sizes(page=1) == [100, *everything[1:]]
    assert sizes(page=2) == [30, 0, 0, 0]
    sandbox.settings(payitems_paging="all")
    assert sizes() == sizes(page=1) == [100, 0, 0, 0]
    assert sizes(page=2) == [30, *everything[1:]]
    assert sizes(page=3) == [0, 0, 0, 0]


def test_calendars_pay_runs_settings_and_leave(sandbox: Any, payroll: PayrollAuApi) -> None:
    tenant = sandbox.tenant()
    calendars = payroll.get_payroll_calendars(tenant).payroll_calendars
    assert {calendar.calendar_type.value for calendar in calendars} == {"WEEKLY", "FORTNIGHTLY"}
    (four_weekly,) = payroll.get_payroll_calendars(sandbox.tenant(BAROSSA)).payroll_calendars
    assert four_weekly.calendar_type.value == "FOURWEEKLY"
    runs = payroll.get_pay_runs(tenant).pay_runs
    drafts = [run for run in runs if run.pay_run_status.value == "DRAFT"]
    assert len({run.payroll_calendar_id for run in drafts}) == len(drafts) == len(calendars) < len(runs)
    assert not any(run.payslips for run in runs)
    (run,) = payroll.get_pay_run(tenant, runs[0].pay_run_id).pay_runs
    assert run.wages == sum(slip.wages for slip in run.payslips) > 0
    assert run.net_pay == sum(slip.net_pay for slip in run.payslips)
    settings = payroll.get_settings(tenant).settings
    assert settings.days_in_payroll_year in (364, "364")
    assert {account.code for account in settings.accounts} >= {"477", "478", "804"}
    assert settings.tracking_categories.employee_groups.tracking_category_name

    def statuses(leave: Any) -> set[str]:
        return {period.leave_period_status.value for one in leave.leave_applications for period in one.leave_periods}

    assert statuses(payroll.get_leave_applications(tenant)) == {"SCHEDULED", "PROCESSED"}
    everything = payroll.get_leave_applications_v2(tenant)
    assert statuses(everything) == {"SCHEDULED", "PROCESSED", "REQUESTED", "REJECTED"}
    asked = next(a for a in everything.leave_applications if statuses_of(a) == {"REQUESTED"})
    (alone,) = payroll.get_leave_application(tenant, asked.leave_application_id).leave_applications
    assert alone == asked
    payroll.get_leave_applications(tenant, if_modified_since=datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(HTTPStatusException) as caught:
        payroll.get_leave_applications_v2(tenant, if_modified_since=datetime(2026, 1, 1, tzinfo=UTC))
    assert caught.value.status == 500


def statuses_of(application: Any) -> set[str]:
    return {period.leave_period_status.value for period in application.leave_periods}


def test_without_payroll_or_its_role_all_of_it_is_refused(sandbox: Any) -> None:
    paths = ("Employees", "Employees/x", "PayItems", "PayrollCalendars", "PayRuns", "Settings", "LeaveApplications/v2")
    assert [organisation["payroll"] for organisation in sandbox.organisations] == [True, True, False]
    assert {sandbox.get(ROOT + path, tenant=KIMBERLEY).status_code for path in paths} == {403}
    for status in ("403", "401"):
        for detail in ("AuthorizationUnsuccessful", "AuthenticationUnsuccessful"):
            sandbox.settings(payroll_refusal=f"{status} {detail}")
            answer = sandbox.get(ROOT + "Employees", tenant=KIMBERLEY)
            assert (answer.status_code, answer.json()["Detail"]) == (int(status), detail)
    assert rows(sandbox, "Employees")
    sandbox.settings(payroll_role=False)
    assert {sandbox.get(ROOT + path).status_code for path in paths} == {401}
    assert sandbox.get("Organisation").status_code == 200
    sandbox.settings(payroll_role=True)
    sandbox.control("PATCH", f"organisations/{sandbox.tenant()}", {"_payroll": False})
    assert sandbox.get(ROOT + "Employees").status_code == 401
    sandbox.control("PATCH", f"organisations/{sandbox.tenant()}", {"_payroll": True})
    assert rows(sandbox, "Employees")
    assert "_payroll" not in sandbox.control("GET", f"organisations/{sandbox.tenant()}")
    assert sandbox.session.patch(f"{sandbox.url}/sandbox/settings", json={"payroll_refusal": "404"}).status_code == 400


def test_each_set_has_its_scope(sandbox: Any) -> None:
    paths = {"Employees": "employees", "LeaveApplications": "employees", "PayItems": "settings", "Settings": "settings"}
    paths |= {"PayrollCalendars": "settings", "PayRuns": "payruns"}
    for scope in ("employees", "settings", "payruns"):
        for end in ("", ".read"):
            grant = sandbox.grant(grant_type="client_credentials", scope=f"payroll.{scope}{end}")
            sandbox.token = grant.json()["access_token"]
            open_to = {path for path in paths if sandbox.get(ROOT + path).status_code == 200}
            assert open_to == {path for path, needed in paths.items() if needed == scope}
    assert sandbox.session.put(f"{sandbox.url}{ROOT}Employees", json=[]).status_code == 501


def test_canaries_come_by_id_and_in_no_list(sandbox: Any) -> None:
    kinds = sandbox.control("GET", "canaries")["kinds"]
    assert all(number.startswith("9990") and len(number) == 9 for number in kinds["TaxFileNumber"])
    assert all(number.startswith("8880") for number in kinds["AccountNumber"])
    lists = ("Employees", "PayItems", "PayrollCalendars", "PayRuns", "Settings", "LeaveApplications/v2")
    answers = [sandbox.get(ROOT + path, tenant=tenant).text for path in lists for tenant in (HARBOUR, BAROSSA)]
    by_id = [
        sandbox.get(f"{ROOT}Employees/{employee['EmployeeID']}", tenant=tenant).text
        for tenant in (HARBOUR, BAROSSA)
        for employee in sandbox.truth("Employees", tenant)
    ]
    for name, secrets in kinds.items():
        assert len(set(secrets)) >= len(by_id) - 2, name  # the twins share a name, one number is still awaited
        assert all(any(secret in answer for answer in by_id) for secret in secrets), name
        if name != "DateOfBirth":  # of these a list does tell
            assert not [secret for secret in secrets for answer in answers if secret in answer], name


@pytest.mark.parametrize("bumps", [False, True])
def test_a_posted_pay_run_lets_leave_grow(sandbox: Any, bumps: bool) -> None:
    sandbox.settings(pay_run_bumps_employees=bumps)
    weekly = next(c for c in sandbox.truth("PayrollCalendars") if c["CalendarType"] == "WEEKLY")["PayrollCalendarID"]
    before = {employee["EmployeeID"]: employee for employee in sandbox.truth("Employees")}
    order = f"organisations/{sandbox.tenant()}/payruns/post"
    answer = sandbox.control("POST", order, {"calendar": weekly})
    assert [run["PayRunStatus"] for run in answer["payruns"]] == ["POSTED"]
    assert 0 < len(answer["employees"]) < len(before)
    annual = next(kind for kind in sandbox.truth("LeaveTypes") if kind["Name"] == "Annual Leave")
    for employee in sandbox.truth("Employees"):
        old = before[employee["EmployeeID"]]
        grown = _units(employee, annual) - _units(old, annual)
        paid = employee["EmployeeID"] in answer["employees"]
        assert paid == (old.get("PayrollCalendarID") == weekly and old["Status"] == "ACTIVE" and grown != 0)
        assert round(grown, 3) == (round(152 / 52, 3) if paid else 0)
        assert (employee["UpdatedDateUTC"] != old["UpdatedDateUTC"]) == (paid and bumps)
    weeklies = [run for run in sandbox.truth("PayRuns") if run["PayrollCalendarID"] == weekly]
    again = sandbox.control("POST", order, {"calendar": weekly})["payruns"][0]
    assert again["PayRunPeriodStartDate"] not in [run["PayRunPeriodStartDate"] for run in weeklies]
    assert len(sandbox.control("POST", order, {})["payruns"]) == len(sandbox.truth("PayrollCalendars"))


def _units(employee: dict[str, Any], kind: dict[str, Any]) -> float:
    return sum(b["NumberOfUnits"] for b in employee["LeaveBalances"] if b["LeaveTypeID"] == kind["LeaveTypeID"])


def test_every_collection_is_steered_alike(sandbox: Any) -> None:
    """Whatever an endpoint brings along can be read, changed, touched, removed and added."""
    counts = sandbox.organisations[HARBOUR]["counts"]
    assert {"Contacts", "Accounts", "Employees", "EarningsRates", "PayRuns"} <= set(counts)
    for plural, count in counts.items():
        path = f"organisations/{sandbox.tenant()}/{plural}"
        assert count == len(sandbox.truth(plural)) > 0, plural
        (key,) = sandbox.control("POST", f"{path}/touch", {"count": 1})["touched"]
        changed = sandbox.control("PATCH", f"{path}/{key}", {"Remark": "changed"})
        assert changed in sandbox.truth(plural)
        sandbox.control("DELETE", f"{path}/{key}")
        assert changed not in sandbox.truth(plural)
        assert sandbox.control("POST", path, changed) in sandbox.truth(plural)
    sandbox.reset()
    again = {plural: sandbox.truth(plural) for plural in counts}
    sandbox.reset()
    assert again == {plural: sandbox.truth(plural) for plural in counts}
