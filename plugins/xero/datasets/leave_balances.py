"""Declares leave balances of all active employees. Xero has no list of them, so it costs one call an employee."""

from datetime import timedelta

from xero.datasets.declaration import Dataset, Reading, Source, Timing
from xero.datasets.staff import EMPLOYEES, LEAVE_BALANCE, PATH

LEAVE_BALANCES = Dataset(
    name="leave_balances",
    title="Leave balances",
    help="Leave balances of each active employee, one row per day. "
    "Due at local midnight of the organisation's pay date.",
    scope="payroll.employees.read",
    sources=(
        EMPLOYEES,
        Source(
            name="details",
            path=PATH + "/{id}",
            envelope="Employees",
            reading=Reading.BY_ID,
            tables=(LEAVE_BALANCE,),
            key="EmployeeID",
        ),
    ),
    statements="leave_balances",
    schedule="*/15 * * * *",
    timing=Timing.PAY_DATE,
    optional=True,
    full_every=timedelta(0),  # it is not known whether a pay run changes an employee's UpdatedDateUTC
)
