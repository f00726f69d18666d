"""What is sent, against Xero's own library and against the sandbox's books: every field, every cent."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import count
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from xero_python import accounting as sdk
from xero_python import payrollau as payroll
from xero_python.api_client.serializer import serialize

from tests.support.documents import AnyPricedRow, leave_document, priced, row_of
from xero.documents import leave_requests
from xero.documents.declaration import Document, PricedKind, PricedLine
from xero.documents.payroll import Pay
from xero.documents.pricing import line_total, total
from xero.documents.registry import KINDS
from xero.qicworks.connect.settings import Conflicts
from xero.sync.push import plan as planning
from xero.sync.push import readback
from xero.sync.push.payroll import earnings_lines
from xero_sandbox.app import create_app
from xero_sandbox.data.settings_lists import RATES
from xero_sandbox.endpoints import Call, find
from xero_sandbox.organisation import Organisation
from xero_sandbox.world import World

Row = dict[str, Any]
PricedDocument = Document[AnyPricedRow, PricedLine]
PRICED = {name: kind for name, kind in KINDS.items() if isinstance(kind, PricedKind)}
PERCENT = {tax_type: Decimal(rate) for tax_type, _, _, rate, _, _ in RATES}
SALES = {"200": ("OUTPUT", "EXEMPTOUTPUT", "BASEXCLUDED", "TAX001")}  # of 10, 0, 0 and 33.3333 per cent
COSTS = {"429": ("INPUT", "EXEMPTEXPENSES", "BASEXCLUDED", "TAX002")}  # TAX002: 6.15 per cent
EXACT = msgspec.json.Decoder(float_hook=Decimal)

texts = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
texts = texts.filter(str.strip)
dates = st.dates(date(2020, 1, 1), date(2035, 12, 31))
quantities = st.decimals(0, 9999, places=4)
prices = st.decimals(-9999, 99_999, places=4)
uuids = st.builds(uuid4)


@st.composite
def lines(draw: st.DrawFn, taxes: dict[str, tuple[str, ...]]) -> Row:
    account = draw(st.sampled_from(sorted(taxes)))
    tax_type = draw(st.sampled_from(taxes[account]))
    made: Row = {
        "id": draw(uuids),
        "description": draw(texts),
        "quantity": draw(quantities),
        "unit_price": draw(prices),
        "account_xero_id": draw(uuids),
        "account_code": account,
        "tax_amount": None,
        "tax_type": tax_type,
        "tax_rate": PERCENT[tax_type],
        "xero_line_id": draw(st.none() | uuids),
    }
    for which in ("first", "second"):
        option = draw(st.none() | uuids)
        made |= {
            f"{which}_option_xero_id": option,
            f"{which}_category_xero_id": option and draw(uuids),
        }
    return made


@st.composite
def documents(draw: st.DrawFn, **fixed: Any) -> PricedDocument:
    side = draw(st.sampled_from(["customer", "supplier"]))
    some = st.lists(lines(fixed.pop("taxes", SALES if side == "customer" else COSTS)), min_size=1, max_size=4)
    row = {
        "id": draw(uuids),
        "push_version": 1,
        "xero_id": None,
        "side": side,
        "number": draw(texts),
        "reference": draw(st.none() | texts),
        "job_number": draw(st.none() | texts),
        "contact_xero_id": draw(uuids),
        "issue_date": draw(dates),
        "due_date": draw(st.none() | dates),
        "delivery_date": draw(st.none() | dates),
        "delivery_address": draw(st.none() | texts),
        "attention_to": draw(st.none() | texts),
        "telephone": draw(st.none() | texts),
        "delivery_instructions": draw(st.none() | texts),
        "currency": draw(st.sampled_from(["AUD", "NZD", "USD"])),
        "currency_rate": draw(st.none() | st.decimals("0.000001", 99_999, places=6)),
        "base_currency": draw(st.sampled_from(["AUD", "NZD", None])),
        "line_amount_types": draw(st.sampled_from(["Exclusive", "Inclusive", "NoTax"])),
        **fixed,
    }
    chosen = draw(some)
    return priced({**row, **figures(priced(row, chosen))}, chosen)


def half_up(amount: Fraction) -> Decimal:
    """To the cent, by whole numbers alone: half a cent goes away from zero."""
    cents = (abs(amount) * 200 + 1) // 2
    return Decimal(int(cents if amount >= 0 else -cents)).scaleb(-2)


def figures(document: PricedDocument) -> Row:
    """What QicWorks shows: tax to the cent on each line, then all added up."""
    net = tax = Decimal("0.00")
    for line in document.lines:
        amount = half_up(Fraction(line.quantity) * Fraction(line.unit_price))
        rate = Fraction(line.tax_rate)
        on_top, within = rate / 100, rate / (100 + rate)
        types = document.row.line_amount_types
        part = half_up(Fraction(amount) * {"Exclusive": on_top, "Inclusive": within, "NoTax": Fraction(0)}[types])
        net += amount - part if types == "Inclusive" else amount
        tax += part
    return {"sub_total": net, "total_tax": tax, "total": net + tax}


# -- field by field, as Xero's own library would send it


def sdk_lines(document: PricedDocument) -> list[Any]:
    return [
        sdk.LineItem(
            description=line.description,
            quantity=line.quantity,
            unit_amount=line.unit_price,
            account_id=str(line.account_xero_id),
            tax_type=line.tax_type,
            tracking=[
                sdk.LineItemTracking(tracking_category_id=str(category), tracking_option_id=str(option))
                for category, option in (
                    (line.first_category_xero_id, line.first_option_xero_id),
                    (line.second_category_xero_id, line.second_option_xero_id),
                )
                if option
            ]
            or None,
        )
        for line in document.lines
    ]


def common(document: PricedDocument) -> Row:
    row = document.row
    return {
        "contact": sdk.Contact(contact_id=str(row.contact_xero_id)),
        "date": row.issue_date,
        "line_amount_types": sdk.LineAmountTypes(row.line_amount_types),
        "currency_code": sdk.CurrencyCode(row.currency),
        "currency_rate": None if row.currency == row.base_currency else row.currency_rate,
        "status": "DRAFT",
        "line_items": sdk_lines(document),
    }


def invoice(document: PricedDocument, kind: str, folder: str, **more: Any) -> Any:
    row = document.row
    url = f"https://app.qicworks.com/{folder}/{row.id}"
    fixed = {"type": kind, "invoice_number": row.number, "due_date": row.due_date, "url": url}
    return sdk.Invoice(**fixed, **common(document), **more)


def credit_note(document: PricedDocument) -> Any:
    row = document.row
    ours = row.side == "customer"
    return sdk.CreditNote(
        type="ACCRECCREDIT" if ours else "ACCPAYCREDIT",
        credit_note_number=row.number,
        reference=row.reference if ours else None,
        **common(document),
    )


def purchase_order(document: PricedDocument) -> Any:
    row = document.row
    names = ("delivery_date", "delivery_address", "attention_to", "telephone", "delivery_instructions")
    return sdk.PurchaseOrder(
        purchase_order_number=row.number,
        reference=row.reference or row.job_number,
        **{name: getattr(row, name) for name in names},
        **common(document),
    )


MODELS: dict[str, Callable[[PricedDocument], Any]] = {
    "invoices": lambda document: invoice(
        document, "ACCREC", "invoices", reference=document.row.reference or document.row.job_number
    ),
    "bills": lambda document: invoice(document, "ACCPAY", "bills"),
    "expenses": lambda document: invoice(document, "ACCPAY", "expenses"),
    "credit_notes": credit_note,
    "purchase_orders": purchase_order,
}


ALWAYS_FALSE = ("HasAttachments", "HasErrors", "HasValidationErrors")  # the library says so unasked


def by_value(said: Any) -> Any:
    """Dates as dates however they are written, numbers as Decimals."""
    if isinstance(said, dict):
        return {name: by_value(value) for name, value in said.items() if not (name in ALWAYS_FALSE and value is False)}
    if isinstance(said, list):
        return [by_value(one) for one in said]
    if isinstance(said, str) and (match := re.fullmatch(r"/Date\((-?\d+)\)/", said)):
        return datetime.fromtimestamp(int(match[1]) / 1000, UTC).date()
    if isinstance(said, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", said):
        return date.fromisoformat(said)
    if isinstance(said, int | float | Decimal) and not isinstance(said, bool):
        return Decimal(str(said)).normalize()
    return said


def sent(kind: PricedKind, document: PricedDocument) -> Any:
    """The one element of a request, from the bytes that leave."""
    body = planning.encoded(kind, [kind.payload(document)])
    return element_of(kind, body)


def element_of(kind: PricedKind, body: str) -> Any:
    [element] = EXACT.decode(body)[kind.envelope]
    return element


def test_every_kind_has_a_model_to_be_compared_with() -> None:
    assert MODELS.keys() == PRICED.keys()


@pytest.mark.parametrize("kind", PRICED.values(), ids=PRICED)
def test_each_field_is_as_xero_s_own_library_sends_it(kind: PricedKind) -> None:
    @settings(max_examples=15)
    @given(document=documents())
    def compare(document: PricedDocument) -> None:
        assert by_value(sent(kind, document)) == by_value(serialize(MODELS[kind.name](document)))

    compare()


def test_a_change_names_the_document_and_the_lines_that_xero_knows() -> None:
    @settings(max_examples=15)
    @given(document=documents(xero_id=UUID(int=7)))
    def compare(document: PricedDocument) -> None:
        known = [str(line.xero_line_id) for line in document.lines if line.xero_line_id][:1]
        record = {"Status": "DRAFT", "LineItems": [{"LineItemID": id.upper()} for id in (*known, str(uuid4()))]}
        [plan] = planning.plan(
            kind, [document], {document.id: planning.Standing(record, conflicts=Conflicts.QICWORKS)}, {}
        ).requests
        model = MODELS[kind.name](document)
        model.invoice_id = str(document.xero_id)
        for made, line in zip(model.line_items, document.lines, strict=True):
            if str(line.xero_line_id) in known:
                made.line_item_id = str(line.xero_line_id)
                made.tracking = made.tracking or []  # left out, it would stay as it is in Xero
        assert plan.method == "POST"
        assert by_value(element_of(kind, plan.body(kind))) == by_value(serialize(model))

    kind = replace(PRICED["bills"], checks=())
    compare()


@settings(max_examples=15)
@given(
    employee=uuids,
    leave_type=uuids,
    title=st.none() | texts,
    notes=st.none() | texts,
    start=dates,
    days=st.integers(0, 30),
    hours=st.decimals("0.25", 200, places=2),
)
def test_leave_is_as_xero_s_own_library_sends_it(
    employee: UUID, leave_type: UUID, title: str | None, notes: str | None, start: date, days: int, hours: Decimal
) -> None:
    row = {
        "id": UUID(int=5),
        "employee_xero_id": employee,
        "code_xero_id": leave_type,
        "code_name": "Annual Leave",
        "title": title,
        "notes": notes,
        "start_date": start,
        "end_date": start + timedelta(days),
        "hours": hours,
        "calendar_type": "FORTNIGHTLY",
        "calendar_start": date(2026, 7, 6),
    }
    document = leave_document(row)
    made = leave_requests.payload(document)
    shares = leave_requests.periods(document)
    model = payroll.LeaveApplication(
        employee_id=str(employee),
        leave_type_id=str(leave_type),
        title=(title or "").strip() or "Annual Leave",
        description=f"{(notes or '').strip()} QicWorks {UUID(int=5)}".strip(),
        start_date=start,
        end_date=start + timedelta(days),
        pay_out_type=payroll.PayOutType("DEFAULT"),
        leave_periods=[
            payroll.LeavePeriod(
                number_of_units=share.units, pay_period_start_date=share.start, pay_period_end_date=share.end
            )
            for share in shares
        ],
    )
    assert sum(share.units for share in shares) == hours
    assert by_value(EXACT.decode(planning.JSON.encode(made))) == by_value(serialize(model))


@settings(max_examples=15)
@given(
    units=st.decimals("0.01", 200, places=4),
    rate=st.none() | st.decimals("0.01", 999, places=4),
    amount=st.decimals("0.01", 9999, places=2),
)
def test_a_pay_template_is_as_xero_s_own_library_sends_it(
    units: Decimal, rate: Decimal | None, amount: Decimal
) -> None:
    """What was there in the other lists, and in other lines, goes back as it came."""
    ordinary, overtime, allowance, other = (UUID(int=number) for number in range(1, 5))
    how = payroll.EarningsRateCalculationType
    theirs = payroll.EarningsLine(earnings_rate_id=str(other), calculation_type=how("ENTEREARNINGSRATE"))
    theirs.rate_per_unit, theirs.normal_number_of_units = Decimal("31.25"), Decimal("38")
    whole = payroll.PayTemplate(
        earnings_lines=[theirs],
        deduction_lines=[
            payroll.DeductionLine(
                deduction_type_id=str(other),
                calculation_type=payroll.DeductionTypeCalculationType("FIXEDAMOUNT"),
                amount=Decimal("10"),
            )
        ],
        super_lines=[
            payroll.SuperLine(
                super_membership_id=str(other), contribution_type=payroll.SuperannuationContributionType("SGC")
            )
        ],
        reimbursement_lines=[],
        leave_lines=[],
    )
    pays = [
        Pay(ordinary, "Ordinary Hours", False, True, units, None),
        Pay(overtime, "Overtime", False, False, units, rate),
        Pay(allowance, "Tools", True, False, amount, None),
    ]
    made = earnings_lines.plan(serialize(whole), pays, [])
    assert isinstance(made, earnings_lines.Plan)

    def line(earnings_rate: UUID, calculation: str, **amounts: Any) -> Any:
        return payroll.EarningsLine(earnings_rate_id=str(earnings_rate), calculation_type=how(calculation), **amounts)

    whole.earnings_lines += [
        line(ordinary, "USEEARNINGSRATE", normal_number_of_units=units),
        line(overtime, "USEEARNINGSRATE", normal_number_of_units=units)
        if rate is None
        else line(overtime, "ENTEREARNINGSRATE", normal_number_of_units=units, rate_per_unit=rate),
        line(allowance, "ENTEREARNINGSRATE", fixed_amount=amount),
    ]
    assert by_value(EXACT.decode(planning.JSON.encode(made.template))) == by_value(serialize(whole))


# -- to the cent, as the sandbox prices it


@dataclass(frozen=True)
class Sandbox:
    """The sandbox's first organisation, in this process."""

    world: World
    organisation: Organisation
    contact: str

    def put(self, kind: PricedKind, body: str) -> Row:
        query = "&".join(f"{name}={value}" for name, value in {"summarizeErrors": "false", **kind.query}.items())
        call = Call(self.world, "PUT", kind.path, query, {}, body.encode())
        call.tenant = self.organisation
        answer = EXACT.decode(find(call).handle(call).body)
        [record] = readback.elements(kind, answer)
        return dict(record)


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    world = create_app(profile="small").world
    organisation = next(iter(world.organisations.values()))
    contacts = (row.record for row in organisation.collections["Contacts"].rows.values())
    active = next(one["ContactID"] for one in contacts if one["ContactStatus"] == "ACTIVE")
    return Sandbox(world, organisation, active)


@pytest.mark.parametrize("name", PRICED)
def test_xero_s_books_agree_to_the_cent(name: str, sandbox: Sandbox) -> None:
    """With the four decimals of a unit price, and the cents of each line's tax."""
    kind, numbers = PRICED[name], count(1)
    sells = name == "invoices"
    same = {"currency": "AUD", "base_currency": "AUD", "contact_xero_id": UUID(sandbox.contact)}
    if name != "credit_notes":
        same["taxes"] = SALES if sells else COSTS
    accounts = (row.record for row in sandbox.organisation.collections["Accounts"].rows.values())
    ids = {one["Code"]: UUID(one["AccountID"]) for one in accounts if one.get("Code")}
    plain = MappingProxyType({"first_option_xero_id": None, "second_option_xero_id": None, "xero_line_id": None})

    @settings(max_examples=30)
    @given(document=documents(**same))
    def compare(document: PricedDocument) -> None:
        assume(document.row.total >= 0)
        ours = Document(
            replace(document.row, number=f"{name}-{next(numbers)}"),
            tuple(replace(one, **plain, account_xero_id=ids[str(one.account_code)]) for one in document.lines),
        )
        record = sandbox.put(kind, planning.encoded(kind, [kind.payload(ours)]))
        result = readback.read(kind, kind.word, None, ours, record)
        assert (result.state, result.remarks, result.error) == ("pushed", (), None)
        assert total(ours) == ours.row.total == record["Total"]
        assert [line_total(line) for line in ours.lines] == [one["LineAmount"] for one in record["LineItems"]]
        prices = [(line.quantity, line.unit_price) for line in ours.lines]
        assert prices == [(one["Quantity"], one["UnitAmount"]) for one in record["LineItems"]]
        assert [id for id, _ in result.line_ids] == [line.id for line in ours.lines]
        a_cent_more = replace(ours, row=replace(ours.row, total_tax=ours.row.total_tax + Decimal("0.01")))
        [note] = readback.read(kind, kind.word, None, a_cent_more, record).remarks
        assert note.startswith("tax ")

    compare()


@given(st.decimals(-999, 999, places=4), st.decimals(-999, 999, places=4))
@example(Decimal("0.5"), Decimal("0.01"))
@example(Decimal("-0.5"), Decimal("0.01"))
@example(Decimal("1.0050"), Decimal("1"))
def test_half_a_cent_goes_away_from_zero(quantity: Decimal, unit_price: Decimal) -> None:
    ours = line_total(row_of(PricedLine, {"quantity": quantity, "unit_price": unit_price}))
    assert ours == half_up(Fraction(quantity) * Fraction(unit_price))
    assert ours == (quantity * unit_price).quantize(Decimal("0.01"), ROUND_HALF_UP)
