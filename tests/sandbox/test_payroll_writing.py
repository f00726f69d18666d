"""Pay templates and leave as they are written, what is refused with which words, and that a pay run pays once."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import requests
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.payrollau import LeaveApplication, PayrollAuApi

from xero_sandbox.pay_periods import A_YEAR, spanned

ROOT = "/payroll.xro/1.0/"
LISTS = ("EarningsLines", "DeductionLines", "SuperLines", "ReimbursementLines", "LeaveLines")
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def sandbox(sandbox: Any) -> Any:
    sandbox.settings(limits=False)
    return sandbox


def post(sandbox: Any, path: str, body: Any = None, **how: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {sandbox.token}", "xero-tenant-id": sandbox.tenant()}
    answer: requests.Response = sandbox.session.post(sandbox.url + ROOT + path, headers=headers, json=body, **how)
    return answer


def written(answer: requests.Response) -> dict[str, Any]:
    """The one record of an answer."""
    assert answer.status_code == 200, answer.text
    (record,) = answer.json().get("Employees") or answer.json()["LeaveApplications"]
    return dict(record)


def words(answer: requests.Response) -> list[str]:
    """Xero's words against the first element that has any."""
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert (body["ErrorNumber"], body["Type"]) == (10, "ValidationException")
    elements = body.get("Employees") or body["LeaveApplications"]
    return next(
        [e["Message"] for e in element["ValidationErrors"]] for element in elements if "ValidationErrors" in element
    )


def day(text: str) -> date:
    return datetime.fromtimestamp(int(text[6:-7]) / 1000, UTC).date()


def staff(sandbox: Any) -> list[dict[str, Any]]:
    return [employee for employee in sandbox.truth("Employees") if employee["Status"] == "ACTIVE"]


def someone(sandbox: Any) -> dict[str, Any]:
    """Somebody with a calendar, leave, a reimbursement and several earnings lines."""
    able = (e for e in staff(sandbox) if e.get("PayrollCalendarID") and e["LeaveBalances"])
    return next(
        e for e in able if e["PayTemplate"]["ReimbursementLines"] and len(e["PayTemplate"]["EarningsLines"]) > 1
    )


def test_every_template_comes_back_as_it_was_sent(sandbox: Any) -> None:
    everybody = staff(sandbox)
    assert len(everybody) > 10
    for old in everybody:
        new = written(post(sandbox, f"Employees/{old['EmployeeID']}", [{"PayTemplate": old["PayTemplate"]}]))
        assert new["UpdatedDateUTC"] > old["UpdatedDateUTC"]
        assert {**new, "UpdatedDateUTC": old["UpdatedDateUTC"]} == old
        assert [new] == sandbox.get(f"{ROOT}Employees/{old['EmployeeID']}").json()["Employees"]
    several = {"Employees": [{"EmployeeID": e["EmployeeID"], "MiddleNames": "Mai"} for e in everybody[:2]]}
    answer = post(sandbox, "Employees", several).json()["Employees"]
    assert [(e["EmployeeID"], e["MiddleNames"]) for e in answer] == [(e["EmployeeID"], "Mai") for e in everybody[:2]]
    assert answer[0]["PayTemplate"] == everybody[0]["PayTemplate"]
    new = {"FirstName": "Kiri", "LastName": "Ng", "DateOfBirth": "1990-02-01", "StartDate": "2026-11-02T00:00:00"}
    created = written(post(sandbox, "Employees", [new]))
    assert created == {**created, "DateOfBirth": "/Date(633830400000+0000)/", "Status": "ACTIVE"}
    assert created in sandbox.truth("Employees")


def test_what_becomes_of_the_lines_that_are_not_sent(sandbox: Any) -> None:
    thrice = (e for e in staff(sandbox) if len({x["EarningsRateID"] for x in e["PayTemplate"]["EarningsLines"]}) == 1)
    old = next(e for e in thrice if len(e["PayTemplate"]["EarningsLines"]) == 3)
    path, template = f"Employees/{old['EmployeeID']}", {**old["PayTemplate"]}
    union, travel = (sandbox.truth(plural)[0] for plural in ("DeductionTypes", "ReimbursementTypes"))
    template["DeductionLines"] = [{"DeductionTypeID": union["DeductionTypeID"], "Amount": 5}]
    template["ReimbursementLines"] = [{"ReimbursementTypeID": travel["ReimbursementTypeID"], "Amount": 5}]
    assert all(template[name] for name in LISTS)
    first = {**template["EarningsLines"][0], "NormalNumberOfUnits": 7.123451, "RatePerUnit": "31.00005"}
    kept = {**first, "NormalNumberOfUnits": 7.1235, "RatePerUnit": 31.0001}
    sent = {"EarningsLines": [first], "SuperLines": template["SuperLines"]}

    def write(how: str) -> dict[str, Any]:
        sandbox.change("Employees", old["EmployeeID"], PayTemplate=template)
        sandbox.settings(pay_template_write=how)
        return dict(written(post(sandbox, path, [{"PayTemplate": sent}]))["PayTemplate"])

    sent_only = {**template, "EarningsLines": [kept]}
    assert write("replace_sent") == sent_only
    assert write("replace") == {**sent_only, "DeductionLines": [], "ReimbursementLines": [], "LeaveLines": []}
    second = {**first, "NormalNumberOfUnits": 2}
    tools = next(r for r in sandbox.truth("EarningsRates") if r["Name"] == "Tool Allowance")["EarningsRateID"]
    added = {"EarningsRateID": tools, "CalculationType": "ENTEREARNINGSRATE", "FixedAmount": 20}
    sent["EarningsLines"] = [first, second, added]
    lines = template["EarningsLines"]
    merged = [{**lines[0], **kept}, {**lines[1], **kept, "NormalNumberOfUnits": 2}, lines[2], added]
    assert write("merge") == {**template, "EarningsLines": merged}


def test_what_is_refused_of_employees(sandbox: Any) -> None:
    employee, rates = someone(sandbox), sandbox.truth("EarningsRates")
    template, path = employee["PayTemplate"], f"Employees/{employee['EmployeeID']}"
    hourly, outdated = template["EarningsLines"][0], next(r for r in rates if not r["CurrentRecord"])["EarningsRateID"]
    allowance = next(r for r in rates if r["EarningsType"] == "ALLOWANCE" and r["CurrentRecord"])["EarningsRateID"]
    fixed = next(r for r in rates if r["RateType"] == "FIXEDAMOUNT" and r["CurrentRecord"])["EarningsRateID"]
    leave = [{k: v for k, v in line.items() if k != "IsQualifyingEarnings"} for line in template["LeaveLines"]]
    somebody_else = next(e["EmployeeID"] for e in staff(sandbox) if e["EmployeeID"] != employee["EmployeeID"])
    paid_back = template["ReimbursementLines"][0]

    def without(name: str) -> dict[str, Any]:
        return {k: v for k, v in hourly.items() if k != name}

    def earnings(*lines: dict[str, Any]) -> dict[str, Any]:
        return {"PayTemplate": {**template, "EarningsLines": list(lines)}}

    refused: list[tuple[dict[str, Any], str]] = [
        (earnings({**hourly, "EarningsRateID": NOBODY}), "Earnings rate does not exist"),
        (earnings({**hourly, "EarningsRateID": outdated}), "Earnings rate does not exist"),
        (earnings(without("CalculationType")), "CalculationType of an earnings line"),
        (earnings(without("RatePerUnit")), "RatePerUnit is required"),
        (
            earnings({**without("NormalNumberOfUnits"), "CalculationType": "USEEARNINGSRATE"}),
            "NormalNumberOfUnits is req",
        ),
        (
            earnings({**hourly, "CalculationType": "ANNUALSALARY", "AnnualSalary": 1}),
            "NumberOfUnitsPerWeek is required",
        ),
        (earnings({"EarningsRateID": fixed, "CalculationType": "ENTEREARNINGSRATE"}), "FixedAmount is required"),
        ({"PayTemplate": {**template, "DeductionLines": [{"DeductionTypeID": NOBODY}]}}, "Pay element not found"),
        ({"PayTemplate": {**template, "LeaveLines": leave}}, "IsQualifyingEarnings is required"),
        (
            {"PayTemplate": {**template, "ReimbursementLines": [{**paid_back, "Description": "x" * 51}]}},
            "Reimbursement description cannot be longer than 50",
        ),
        (
            {"PayTemplate": {**template, "SuperLines": []}},
            "Superannuation guarantee contribution line missing in pay template",
        ),
        ({"OrdinaryEarningsRateID": outdated}, "Invalid OrdinaryEarningsRateID"),
        ({**earnings(hourly), "OrdinaryEarningsRateID": allowance}, "Invalid OrdinaryEarningsRateID"),
        ({"TerminationDate": "2026-12-01"}, "Termination reason is required"),
        ({"PayrollCalendarID": NOBODY}, "No payroll calendar found"),
        ({"EmployeeID": NOBODY, "MiddleNames": "Mai"}, "Employee could not be found"),
        ({"EmployeeID": somebody_else, "MiddleNames": "Mai"}, "Employee could not be found"),
    ]
    for sent, message in refused:
        answer = post(sandbox, path, [sent])
        assert [text[: len(message)] for text in words(answer)] == [message], sent
        (told,) = answer.json()["Employees"]
        assert {**sent, "ValidationErrors": told["ValidationErrors"]} == told
    assert words(post(sandbox, "Employees", [{"FirstName": "Kiri"}])) == [
        "LastName is required",
        "DateOfBirth is required",
    ]
    gone = next(e for e in sandbox.truth("Employees") if e["Status"] == "TERMINATED")
    assert words(post(sandbox, f"Employees/{gone['EmployeeID']}", [{"MiddleNames": "Mai"}]))
    assert post(sandbox, f"Employees/{NOBODY}", [{"MiddleNames": "Mai"}]).status_code == 404
    unreadable = ({"MiddleNames": "Mai"}, [], [1], [{"PayTemplate": []}], [earnings({**hourly, "RatePerUnit": "x"})])
    for body in (*unreadable, [{"StartDate": "soon"}], [{"PayrollCalendarID": {"is": "an object"}}]):
        answer = post(sandbox, path, body)
        assert (answer.status_code, answer.json()["Type"]) == (400, "PostDataInvalidException"), body
    assert post(sandbox, path, data="{").status_code == 400
    assert employee in sandbox.truth("Employees")
    # and what is let through: as switched, and of somebody under age
    sandbox.settings(qualifying_earnings_required=False)
    assert written(post(sandbox, path, [{"PayTemplate": {**template, "LeaveLines": leave}}]))
    assert written(post(sandbox, path, [{"DateOfBirth": "2010-01-01", "PayTemplate": {**template, "SuperLines": []}}]))
    end = {"TerminationDate": "2026-10-01", "TerminationReason": "V"}
    assert written(post(sandbox, path, [end]))["Status"] == "TERMINATED"


def test_one_bad_employee_of_several_as_switched(sandbox: Any) -> None:
    good, bad = staff(sandbox)[:2]
    good, bad = (
        {"EmployeeID": good["EmployeeID"], "MiddleNames": "Mai"},
        {"EmployeeID": bad["EmployeeID"], "MiddleNames": "Mai", "TerminationDate": "2026-12-01"},
    )
    assert words(post(sandbox, "Employees", [good, bad])) == ["Termination reason is required"]
    assert "Mai" not in [e.get("MiddleNames") for e in staff(sandbox)]
    sandbox.settings(payroll_partial="each")
    first, second = post(sandbox, "Employees", [bad, good]).json()["Employees"]
    assert first == {**bad, "ValidationErrors": [{"Message": "Termination reason is required"}]}
    assert second in staff(sandbox)
    assert [e["EmployeeID"] for e in staff(sandbox) if e.get("MiddleNames") == "Mai"] == [good["EmployeeID"]]
    assert post(sandbox, "Employees", [bad]).status_code == 400


def calendar_of(sandbox: Any, employee: dict[str, Any]) -> tuple[date, int]:
    """The day where the employee's calendar stands, and the days of its periods."""
    calendars = sandbox.truth("PayrollCalendars")
    calendar = next(c for c in calendars if c["PayrollCalendarID"] == employee["PayrollCalendarID"])
    return day(calendar["StartDate"]), {"WEEKLY": 7, "FORTNIGHTLY": 14}[calendar["CalendarType"]]


def holiday(employee: dict[str, Any], first: date, last: date, **fields: Any) -> dict[str, Any]:
    kind = employee["LeaveBalances"][0]["LeaveTypeID"]
    about = {"EmployeeID": employee["EmployeeID"], "LeaveTypeID": kind, "Title": "Reef"}
    return {**about, "StartDate": f"{first}", "EndDate": f"{last}T00:00:00", **fields}


def period(start: date, length: int, units: float) -> dict[str, Any]:
    end = start + timedelta(length - 1)
    return {"PayPeriodStartDate": f"{start}", "PayPeriodEndDate": f"{end}", "NumberOfUnits": units}


def test_leave_is_asked_for_changed_approved_and_rejected(sandbox: Any) -> None:
    employee = someone(sandbox)
    stands, length = calendar_of(sandbox, employee)
    start = stands + timedelta(length * 6)  # of a period, and a Monday
    friday = start + timedelta(length - 3)
    leave = written(post(sandbox, "LeaveApplications", [holiday(employee, friday, friday + timedelta(4))]))
    path = f"LeaveApplications/{leave['LeaveApplicationID']}"
    assert (leave["Title"], leave["PayOutType"]) == ("Reef", "DEFAULT")
    assert (day(leave["StartDate"]), day(leave["EndDate"])) == (friday, friday + timedelta(4))
    made = [(day(p["PayPeriodStartDate"]), p["NumberOfUnits"], p["LeavePeriodStatus"]) for p in leave["LeavePeriods"]]
    assert made == [(start, 7.6, "SCHEDULED"), (start + timedelta(length), 15.2, "SCHEDULED")]
    before = -length * 40  # long before the calendar's first period that is known
    long_ago = holiday(employee, stands + timedelta(before), stands + timedelta(before), Title="Long ago")
    long_ago["LeavePeriods"] = [period(stands + timedelta(before), length, 3.00005)]
    units = written(post(sandbox, "LeaveApplications", [long_ago]))["LeavePeriods"][0]["NumberOfUnits"]
    assert units == 3.0001

    for listed in ("LeaveApplications", "LeaveApplications/v2"):
        assert leave in sandbox.get(ROOT + listed).json()["LeaveApplications"]
    changed = written(post(sandbox, path, [{"Description": "Moved", "EndDate": leave["StartDate"]}]))
    assert changed == {**changed, "Description": "Moved", "Title": "Reef", "LeavePeriods": leave["LeavePeriods"][:1]}
    assert changed["UpdatedDateUTC"] > leave["UpdatedDateUTC"]
    assert [changed] == sandbox.get(ROOT + path).json()["LeaveApplications"]
    assert words(post(sandbox, f"{path}/approve")) == ["Only leave that is requested can be approved"]
    assert written(post(sandbox, f"{path}/reject"))["LeavePeriods"][0]["LeavePeriodStatus"] == "REJECTED"
    assert words(post(sandbox, f"{path}/reject")) == ["Only leave that is requested or scheduled can be rejected"]

    sandbox.settings(leave_created_as="REQUESTED")
    asked = written(post(sandbox, "LeaveApplications", [holiday(employee, friday, friday)]))  # rejected: no overlap
    path = f"LeaveApplications/{asked['LeaveApplicationID']}"
    assert asked not in sandbox.get(f"{ROOT}LeaveApplications").json()["LeaveApplications"]
    assert asked in sandbox.get(f"{ROOT}LeaveApplications/v2").json()["LeaveApplications"]
    assert written(post(sandbox, f"{path}/approve"))["LeavePeriods"][0]["LeavePeriodStatus"] == "SCHEDULED"
    other = next(
        a for a in sandbox.truth("LeaveApplications") if a["LeaveApplicationID"] != asked["LeaveApplicationID"]
    )
    stray = {"LeaveApplicationID": other["LeaveApplicationID"], "Title": "Bay"}
    assert words(post(sandbox, path, [stray])) == ["Leave application could not be found"]
    assert written(post(sandbox, path, [{"Title": "Bay"}]))["LeavePeriods"][0]["LeavePeriodStatus"] == "SCHEDULED"
    assert post(sandbox, f"LeaveApplications/{NOBODY}/approve").status_code == 404
    headers = {"Authorization": f"Bearer {sandbox.token}", "xero-tenant-id": sandbox.tenant()}
    assert sandbox.session.delete(sandbox.url + ROOT + path, headers=headers).status_code == 501
    only_read = sandbox.grant(grant_type="client_credentials", scope="payroll.employees.read").json()["access_token"]
    sandbox.token = only_read
    assert post(sandbox, f"{path}/reject").status_code == 401


def test_what_is_refused_of_leave(sandbox: Any) -> None:
    employee, everybody = someone(sandbox), sandbox.truth("Employees")
    stands, length = calendar_of(sandbox, employee)
    start = stands + timedelta(length * 6)
    good = holiday(employee, start, start)
    gone = next(e for e in everybody if e["Status"] == "TERMINATED")["EmployeeID"]
    adrift = next(e for e in everybody if "PayrollCalendarID" not in e)["EmployeeID"]
    unpaid = next(k for k in sandbox.truth("LeaveTypes") if k["Name"].startswith("Community"))["LeaveTypeID"]
    long, early = period(start, length + 1, 1), period(start - timedelta(1), length, 1)
    here, after = period(start, length, 1), period(start + timedelta(length), length, 1)
    refused: list[tuple[dict[str, Any], str]] = [
        *(({**good, name: None}, f"{name} is required") for name in ("EmployeeID", "LeaveTypeID", "Title", "EndDate")),
        ({**good, "Title": "x" * 51}, "Title cannot be longer than 50 characters"),
        ({**good, "Description": "x" * 201}, "Description cannot be longer than 200 characters"),
        ({**good, "PayOutType": "GIVEN"}, "PayOutType must be one of DEFAULT, CASHED_OUT"),
        ({**good, "EndDate": f"{start - timedelta(1)}"}, "End date must not be before the start date"),
        ({**good, "EndDate": "2099-12-31"}, "Invalid leave period"),
        ({**good, "EmployeeID": NOBODY}, "Employee could not be found"),
        ({**good, "EmployeeID": gone}, "Leave cannot be entered for a terminated employee"),
        ({**good, "EmployeeID": adrift}, "No payroll calendar found"),
        ({**good, "LeaveTypeID": unpaid}, "Leave type not assigned to employee"),
        *(({**good, "LeavePeriods": wrong}, "Invalid leave period") for wrong in ([long], [early], [after])),
        *(({**good, "LeavePeriods": wrong}, "Invalid leave period") for wrong in ([here, after], [here, here])),
        ({**good, "LeavePeriods": [{**here, "NumberOfUnits": -1}]}, "Invalid leave period"),
        ({**good, "LeaveApplicationID": NOBODY}, "Leave application could not be found"),
    ]
    for sent, message in refused:
        assert words(post(sandbox, "LeaveApplications", [sent])) == [message], sent
    for body in (
        good,
        {"LeaveApplications": [good]},
        [{**good, "StartDate": "soon"}],
        [{**good, "LeavePeriods": [{**here, "NumberOfUnits": "x"}]}],
    ):
        answer = post(sandbox, "LeaveApplications", body)
        assert (answer.status_code, answer.json()["Type"]) == (400, "PostDataInvalidException"), body
    paid = next(
        a for a in sandbox.truth("LeaveApplications") if a["LeavePeriods"][0]["LeavePeriodStatus"] == "PROCESSED"
    )
    for act in ("", "/approve", "/reject"):
        assert words(post(sandbox, f"LeaveApplications/{paid['LeaveApplicationID']}{act}", [{"Title": "Taken"}])), act

    overlapping = ["The employee has leave of this type on these days already"]
    assert words(post(sandbox, "LeaveApplications", [good, good])) == overlapping
    assert written(post(sandbox, "LeaveApplications", [{**good, "LeavePeriods": [here]}]))
    assert words(post(sandbox, "LeaveApplications", [good])) == overlapping
    assert written(post(sandbox, "LeaveApplications", [holiday(employee, start + timedelta(1), start + timedelta(1))]))
    sandbox.settings(overlapping_leave_refused=False)
    assert written(post(sandbox, "LeaveApplications", [good]))
    sandbox.change("LeaveTypes", good["LeaveTypeID"], CurrentRecord=False)
    assert words(post(sandbox, "LeaveApplications", [good])) == ["Leave type not assigned to employee"]


def test_a_pay_run_pays_every_hour_once(sandbox: Any) -> None:
    employee = someone(sandbox)
    key, calendar = employee["EmployeeID"], {"calendar": employee["PayrollCalendarID"]}
    runs = f"organisations/{sandbox.tenant()}/payruns"
    refused = sandbox.session.post(f"{sandbox.url}/sandbox/{runs}/draft", json=calendar)
    assert refused.json() == {"error": "There can only be one draft pay run per calendar"}
    sandbox.control("POST", f"{runs}/post", calendar)
    start, length = calendar_of(sandbox, employee)

    def drafted() -> tuple[dict[str, Any], dict[str, Any]]:
        (run,) = sandbox.control("POST", f"{runs}/draft", calendar)["payruns"]
        assert (day(run["PayRunPeriodStartDate"]), run["PayRunStatus"]) == (start, "DRAFT")
        return run, next(slip for slip in run["Payslips"] if slip["EmployeeID"] == key)

    line = {**employee["PayTemplate"]["EarningsLines"][0], "NormalNumberOfUnits": 30.4, "RatePerUnit": 40}
    template = {**employee["PayTemplate"], "EarningsLines": [line]}
    written(post(sandbox, f"Employees/{key}", [{"PayTemplate": template}]))
    run, slip = drafted()
    assert (slip["Wages"], slip.get("LeaveEarnings")) == (30.4 * 40, None)
    sandbox.control("DELETE", f"organisations/{sandbox.tenant()}/PayRuns/{run['PayRunID']}")
    kind = next(k for k in sandbox.truth("LeaveTypes") if k["Name"] == "Annual Leave" and k["CurrentRecord"])
    leave = holiday(employee, start, start, LeaveTypeID=kind["LeaveTypeID"])
    leave = written(post(sandbox, "LeaveApplications", [leave]))
    path = f"LeaveApplications/{leave['LeaveApplicationID']}"
    sandbox.settings(leave_created_as="REQUESTED")
    tuesday = start + timedelta(1)
    written(post(sandbox, "LeaveApplications", [holiday(employee, tuesday, tuesday, LeaveTypeID=kind["LeaveTypeID"])]))
    run, slip = drafted()
    assert (slip["Wages"], slip["LeaveEarnings"]) == (38 * 40, 7.6 * 40)
    assert [(line["LeaveApplicationID"], line["NumberOfUnits"]) for line in slip["LeaveEarningsLines"]] == [
        (leave["LeaveApplicationID"], 7.6)
    ]
    assert run["Wages"] == pytest.approx(sum(slip["Wages"] for slip in run["Payslips"]))
    told = next(s for s in payslips(sandbox, run) if s["EmployeeID"] == key)
    assert told == {name: slip[name] for name in told}
    assert set(slip) - set(told) == {"LeaveEarnings", "LeaveEarningsLines"}

    assert sandbox.control("POST", f"{runs}/post", calendar)["payruns"][0]["PayRunID"] == run["PayRunID"]
    assert sandbox.get(ROOT + path).json()["LeaveApplications"][0]["LeavePeriods"] == [
        {**leave["LeavePeriods"][0], "LeavePeriodStatus": "PROCESSED"}
    ]
    start += timedelta(length)
    assert drafted()[1]["Wages"] == 30.4 * 40  # the template goes on, the leave does not


def payslips(sandbox: Any, run: dict[str, Any]) -> list[dict[str, Any]]:
    """A run's payslips as Xero tells them."""
    return list(sandbox.get(f"{ROOT}PayRuns/{run['PayRunID']}").json()["PayRuns"][0]["Payslips"])


def test_periods_of_every_calendar_follow_without_a_gap() -> None:
    anchors = {"MONTHLY": date(2026, 1, 31), "TWICEMONTHLY": date(2026, 10, 16), "QUARTERLY": date(2026, 7, 1)}
    for kind in ("WEEKLY", "FORTNIGHTLY", "FOURWEEKLY", *anchors):
        anchor = anchors.get(kind, date(2026, 10, 26))
        found = spanned(kind, anchor, date(2025, 1, 10), date(2028, 3, 1))
        assert found[0].start <= date(2025, 1, 10) <= found[0].end, kind
        assert spanned(kind, anchor, date(1950, 1, 1), date(1950, 1, 1))[0].start <= date(1950, 1, 1), kind
        assert found[-1].start <= date(2028, 3, 1) <= found[-1].end, kind
        assert anchor in {period.start for period in found}, kind
        assert all(one.end + timedelta(1) == two.start for one, two in pairwise(found)), kind
        assert len(found) in range(A_YEAR[kind] * 3, A_YEAR[kind] * 4), kind
        assert spanned(kind, anchor, found[3].start, found[3].end) == [found[3]], kind
    halves = spanned("TWICEMONTHLY", date(2026, 10, 16), date(2026, 2, 1), date(2026, 3, 1))
    assert [(half.start.day, half.end.day) for half in halves] == [(1, 15), (16, 28), (1, 15)]


def test_both_as_the_library_writes_them(sandbox: Any) -> None:
    token = {"access_token": sandbox.token, "expires_in": 1800, "token_type": "Bearer", "scope": []}
    client = ApiClient(
        Configuration(oauth2_token=OAuth2Token(client_id="demo-client", client_secret="-")),
        oauth2_token_getter=lambda: {**token, "refresh_token": "-"},
        oauth2_token_saver=lambda _: None,
    )
    payroll, tenant, known = (
        PayrollAuApi(client, base_url=f"{sandbox.url}{ROOT[:-1]}"),
        sandbox.tenant(),
        someone(sandbox),
    )
    (employee,) = payroll.get_employee(tenant, known["EmployeeID"]).employees
    employee.pay_template.earnings_lines[0].normal_number_of_units = Decimal("7.25")
    before, employee.updated_date_utc = employee.updated_date_utc, None
    (changed,) = payroll.update_employee(tenant, known["EmployeeID"], [employee]).employees
    assert changed.updated_date_utc > before
    changed.updated_date_utc = None
    assert changed == employee

    monday = calendar_of(sandbox, known)[0]
    about = {"employee_id": known["EmployeeID"], "leave_type_id": known["LeaveBalances"][0]["LeaveTypeID"]}
    asked = LeaveApplication(**about, title="Reef", start_date=monday, end_date=monday + timedelta(1))
    (leave,) = payroll.create_leave_application(tenant, [asked]).leave_applications
    assert (leave.start_date, leave.end_date) == (monday, monday + timedelta(1))
    assert [period.number_of_units for period in leave.leave_periods] == [Decimal("15.2")]
    leave.description = "Moved"
    changed = payroll.update_leave_application(tenant, leave.leave_application_id, [leave]).leave_applications[0]
    assert (changed.description, changed.leave_periods) == ("Moved", leave.leave_periods)
    (rejected,) = payroll.reject_leave_application(tenant, leave.leave_application_id).leave_applications
    assert rejected.leave_periods[0].leave_period_status.value == "REJECTED"
