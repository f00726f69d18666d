"""Leave balances of all active employees. Xero has no list of them: one call an employee."""

from datetime import timedelta

from xero.datasets.declaration import Dataset, Reading, Source, Timing
from xero.datasets.staff import EMPLOYEES, LEAVE_BALANCE, PATH

LEAVE_BALANCES = Dataset(
    name="leave_balances",
    title="Leave balances",
    help="What leave each active employee has, kept day by day. Due at local midnight of the organisation's pay date.",
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
    full_every=timedelta(0),  # whether a pay run moves an employee's UpdatedDateUTC is not known
)
