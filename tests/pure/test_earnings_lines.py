"""What becomes of a pay template, line by line, and when it is what was wanted."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.documents import pay_document
from xero.documents.odd_values import OutOfRange
from xero.documents.payroll import Pay
from xero.qicworks.push.owned_earnings_lines import OwnedEarningsLine
from xero.sync.push.payroll.earnings_lines import (
    LISTS,
    Plan,
    check_lists,
    check_owned_lines,
    check_text,
    differences,
    plan,
)
from xero.sync.push.payroll.redaction import redacted

HOURS, MORE, TOOLS, OTHER = (UUID(int=n) for n in range(0xA1, 0xA5))  # Xero gives ids in either case
SUPER = {"ContributionType": "SGC", "SuperMembershipID": "m", "ExpenseAccountCode": "478", "Future": {"a": [1, None]}}


def line(rate: UUID, **fields: Any) -> dict[str, Any]:
    return {"EarningsRateID": str(rate).upper(), "CalculationType": "USEEARNINGSRATE", **fields}


def pay(of: UUID, quantity: str, **fields: Any) -> Pay:
    return replace(Pay(of, "Hours", False, False, Decimal(quantity), None), **fields)


def planned(template: dict[str, Any], pays: list[Pay], owned: list[OwnedEarningsLine]) -> Plan:
    made = plan(template, pays, owned)
    assert isinstance(made, Plan), made
    return made


def test_what_is_not_ours_is_sent_as_it_was_read() -> None:
    template = {
        "EarningsLines": [
            line(OTHER, NormalNumberOfUnits=Decimal("1.50"), Odd=None), line(HOURS, RatePerUnit=5), {"Odd": "no rate"},
        ],
        "SuperLines": [SUPER],
        "LeaveLines": None,
        "Unknown": {"kept": 1},
        "Nothing": None,
    }  # fmt: skip
    made = planned(template, [pay(HOURS, "38.0000"), pay(MORE, "2"), pay(TOOLS, "0")], [])
    assert made.template == {
        "EarningsLines": [
            template["EarningsLines"][0],
            line(HOURS, RatePerUnit=5, NormalNumberOfUnits=Decimal(38)),
            {"Odd": "no rate"},
            {**line(MORE, NormalNumberOfUnits=Decimal(2)), "EarningsRateID": str(MORE)},
        ],
        "SuperLines": [SUPER],
        "Unknown": {"kept": 1},
        "Nothing": None,
    }
    assert str(made.template["EarningsLines"][1]["NormalNumberOfUnits"]) == "38"
    assert made.new == (HOURS, MORE)
    fixed = planned({}, [pay(TOOLS, "12.50", fixed=True)], [])
    assert fixed.template["EarningsLines"][0] == {
        **line(TOOLS, CalculationType="ENTEREARNINGSRATE", FixedAmount=Decimal("12.5")),
        "EarningsRateID": str(TOOLS),
    }
    assert str(fixed.template["EarningsLines"][0]["FixedAmount"]) == "12.5"
    assert isinstance(plan({"SuperLines": "?"}, [], []), list)


def test_a_list_that_xero_does_not_show_is_not_an_empty_one() -> None:
    mine = OwnedEarningsLine(HOURS, "Hours", False, False)
    empty: dict[str, Any] = {name: [] for name in LISTS}
    kinds = ("EARNINGS", "DEDUCTION", "SUPER", "REIMBURSEMENT", "LEAVE")
    assert [list(check_lists(empty, kinds, [mine])), list(check_lists({}, [], [replace(mine, empty=True)]))] == [[], []]
    for kind, (name, said) in zip(kinds, LISTS.items(), strict=True):
        for template in ({**empty, name: None}, {key: value for key, value in empty.items() if key != name}):
            [found] = check_lists(template, [kind], [])
            assert found.says == f"Xero shows the pay template without its lines of {said}: nothing was sent"
            assert "pull staff ({pull_staff})" in str(found.correction), "it is not only told, but holds the pay back"
            assert list(check_lists(template, [], [])) == []
    assert len(list(check_lists({**empty, "EarningsLines": None}, [], [mine]))) == 1
    for nothing in (None, "?", []):
        [found] = check_lists(nothing, [], [])
        assert found.says == "Xero does not show the pay template: nothing was sent"
        assert "pull staff ({pull_staff})" in str(found.correction)


@pytest.mark.parametrize(
    ("there", "left"),
    [
        ({"CalculationType": "ENTEREARNINGSRATE", "RatePerUnit": Decimal("61.50")}, {"RatePerUnit": Decimal("40.25")}),
        ({"CalculationType": "ENTEREARNINGSRATE", "RatePerUnit": "61.50"}, {"RatePerUnit": Decimal("40.25")}),
        ({"CalculationType": "ENTEREARNINGSRATE", "RatePerUnit": 70}, {"RatePerUnit": 70}),  # somebody's in Xero
        ({"CalculationType": "USEEARNINGSRATE"}, {"CalculationType": "USEEARNINGSRATE"}),
    ],
)
def test_a_rate_is_that_periods_only(there: dict[str, Any], left: dict[str, Any]) -> None:
    before = {"CalculationType": "ENTEREARNINGSRATE", "RatePerUnit": "40.25"}
    owned = [OwnedEarningsLine(HOURS, "Hours", False, False, (Decimal("61.5"),), before)]
    template = {"EarningsLines": [line(HOURS, NormalNumberOfUnits=3, **there)]}
    for pays, units in (([pay(HOURS, "8")], 8), ([], 0)):
        made = planned(template, pays, owned)
        [found] = made.template["EarningsLines"]
        assert found == line(HOURS, **{**there, **left, "NormalNumberOfUnits": units})
        assert (made.owned[0].rates, made.owned[0].before, made.owned[0].empty) == ((), None, not units)
    [again] = planned(template, [pay(HOURS, "8", rate=Decimal("62"))], owned).owned
    first = {"CalculationType": there["CalculationType"]}
    first |= {"RatePerUnit": there["RatePerUnit"]} if "RatePerUnit" in there else {}
    ours = there.get("RatePerUnit") in (Decimal("61.5"), "61.50")
    assert (again.rates, again.before) == ((62,), before if ours else first)


@pytest.mark.parametrize("calculation", [{"RatePerUnit": Decimal("40.25")}, {}, {"RatePerUnit": None}])
@pytest.mark.parametrize("type_", ["ENTEREARNINGSRATE", "USEEARNINGSRATE"])
def test_a_rate_of_qicworks_is_entered_and_what_it_replaces_is_remembered(
    calculation: dict[str, Any], type_: str
) -> None:
    """All else of the line stays, and the other lines as they are."""
    there = line(HOURS, CalculationType=type_, Name="Site", AnnualSalary=None, **calculation)
    made = planned({"EarningsLines": [line(OTHER), there]}, [pay(HOURS, "8.00", rate=Decimal("62.50"))], [])
    paid = {**there, "CalculationType": "ENTEREARNINGSRATE", "RatePerUnit": Decimal("62.5"), "NormalNumberOfUnits": 8}
    assert made.template["EarningsLines"] == [line(OTHER), paid]
    assert str(made.template["EarningsLines"][1]["RatePerUnit"]) == "62.5"
    before = {"CalculationType": type_, **{name: value for name, value in calculation.items() if value}}
    assert made.owned == (OwnedEarningsLine(HOURS, "Hours", False, False, (Decimal("62.5"),), before),)
    assert made.new == (HOURS,)
    added = planned({"EarningsLines": []}, [pay(HOURS, "8", rate=Decimal("62.50"))], [])
    [one] = added.template["EarningsLines"]
    assert one == {
        "EarningsRateID": str(HOURS), "CalculationType": "ENTEREARNINGSRATE", "RatePerUnit": Decimal("62.5"),
        "NormalNumberOfUnits": 8,
    }  # fmt: skip
    assert added.owned[0].before == {"CalculationType": "USEEARNINGSRATE"}


@pytest.mark.parametrize(
    ("there", "owned"),
    [
        # The pay item's rate counts there, whatever else the line says.
        (
            {"CalculationType": "USEEARNINGSRATE", "RatePerUnit": Decimal("61.5")},
            {"rates": (Decimal("61.5"),), "before": {"CalculationType": "ENTEREARNINGSRATE", "RatePerUnit": "40"}},
        ),
        # What was there before nobody knows.
        ({"CalculationType": "ENTEREARNINGSRATE", "RatePerUnit": Decimal("61.5")}, {"rates": (Decimal("61.5"),)}),
        ({"CalculationType": "ENTEREARNINGSRATE", "RatePerUnit": Decimal("61.5")}, {}),
    ],
)
def test_a_rate_that_is_not_known_to_be_ours_stays(there: dict[str, Any], owned: dict[str, Any]) -> None:
    mine = OwnedEarningsLine(HOURS, "Hours", False, False, **owned)
    template = {"EarningsLines": [line(HOURS, NormalNumberOfUnits=3, **there)]}
    for pays, units in (([pay(HOURS, "8")], 8), ([], 0)):
        assert planned(template, pays, [mine]).template["EarningsLines"] == [
            line(HOURS, NormalNumberOfUnits=units, **there)
        ]
    [again] = planned(template, [pay(HOURS, "8", rate=Decimal("62"))], [mine]).owned
    assert (again.rates, again.before) == ((62,), there)


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ({"NormalNumberOfUnits": 3}, True),
        ({"FixedAmount": Decimal("12.5")}, True),
        ({"NormalNumberOfUnits": 0, "FixedAmount": 1}, True),
        ({"NormalNumberOfUnits": Decimal("0.00"), "FixedAmount": 0}, False),
        ({"NormalNumberOfUnits": "0.00"}, False),
        ({"NormalNumberOfUnits": None}, False),
        ({}, False),
    ],
)
def test_a_standing_line_that_is_taken_over_is_told(there: dict[str, Any], told: bool) -> None:
    """Not that of ordinary hours, which stands in every template."""
    template = {"EarningsLines": [line(OTHER, NormalNumberOfUnits=5), line(MORE, **there)]}
    kilometres = pay(MORE, "1", name="Kilometres")
    assert planned(template, [pay(HOURS, "1"), kilometres], []).taken_over == (("Kilometres",) if told else ())
    assert planned(template, [kilometres], [OwnedEarningsLine(MORE, "Kilometres", False, False)]).taken_over == ()
    assert planned(template, [replace(kilometres, ordinary=True)], []).taken_over == ()


@pytest.mark.parametrize(("fixed", "name"), [(False, "NormalNumberOfUnits"), (True, "FixedAmount")])
def test_a_line_of_ours_is_emptied_also_where_xero_shows_no_quantity(fixed: bool, name: str) -> None:
    made = planned({"EarningsLines": [line(TOOLS)]}, [], [OwnedEarningsLine(TOOLS, "Tools", fixed, False)])
    assert made.template["EarningsLines"] == [line(TOOLS, **{name: 0})]


@pytest.mark.parametrize("owned", [[], [OwnedEarningsLine(HOURS, "Hours", False, False)]])
def test_of_two_lines_of_one_rate_nobody_knows_which_pays(owned: list[OwnedEarningsLine]) -> None:
    made = plan({"EarningsLines": [line(HOURS), line(OTHER), line(HOURS)]}, [pay(HOURS, "1")], owned)
    assert isinstance(made, list)
    assert [(finding.says, finding.correction) for finding in made] == [
        ("the pay template has 2 lines of 'Hours'", "Keep only one of them in Xero.")
    ]


def test_lines_of_ours_that_others_changed_in_xero() -> None:
    mine = OwnedEarningsLine(HOURS, "Hours", False, False)
    gone = planned({"EarningsLines": []}, [], [mine])
    assert (gone.template["EarningsLines"], gone.owned[0].empty) == ([], True)
    salary = {"EarningsLines": [line(HOURS, CalculationType="ANNUALSALARY", AnnualSalary=9)]}
    assert planned(salary, [], [mine]).template["EarningsLines"] == salary["EarningsLines"]
    salary["EarningsLines"].append(line(HOURS, NormalNumberOfUnits=2))
    assert planned(salary, [], [mine]).template["EarningsLines"] == salary["EarningsLines"]
    doubled = plan({"EarningsLines": [line(HOURS), line(HOURS)]}, [], [mine])
    assert isinstance(doubled, list)
    assert doubled[0].says == "the pay template has 2 lines of 'Hours'"
    for fixed in (True, False):  # the pay item may be paid in another way by now
        tools = planned({"EarningsLines": [line(TOOLS, FixedAmount=5, NormalNumberOfUnits=1)]}, [], [
            OwnedEarningsLine(TOOLS, "Tools", fixed, False)
        ])  # fmt: skip
        assert tools.template["EarningsLines"] == [line(TOOLS, FixedAmount=0, NormalNumberOfUnits=0)]


def test_what_a_salary_pays_is_not_paid_beside_it() -> None:
    template = {"EarningsLines": [line(TOOLS), line(OTHER, CalculationType="ANNUALSALARY", AnnualSalary=9)]}
    for one, refused in (
        (pay(HOURS, "1", ordinary=True), True),
        (pay(OTHER, "1"), True),
        (pay(MORE, "1"), False),
        (pay(HOURS, "0", ordinary=True), False),
    ):
        made = plan(template, [one], [])
        assert isinstance(made, list) == refused, one
        if isinstance(made, list):
            assert "it would be paid twice" in made[0].says
            assert "the salary from the pay template in Xero" in str(made[0].correction)


def test_what_differs() -> None:
    wanted = {
        "EarningsLines": [line(HOURS, NormalNumberOfUnits=Decimal("38")), line(OTHER, NormalNumberOfUnits=1)],
        "SuperLines": [SUPER],
        "LeaveLines": [],
    }
    ours = frozenset({str(HOURS)})

    def found(*lines: dict[str, Any], **lists: Any) -> list[str]:
        return differences(wanted, {**wanted, "EarningsLines": list(lines), **lists}, ours)

    mine, other = wanted["EarningsLines"]
    assert found(other, {**mine, "NormalNumberOfUnits": Decimal("38.000"), "Added": "by Xero"}, LeaveLines=None) == []
    assert found({**mine, "RatePerUnit": 41}, {**other, "Nothing": None}) == []
    assert found(mine, other, SuperLines=[{**SUPER, "Future": {"a": [1, None]}}]) == []
    for lines in (
        [mine],
        [other],
        [mine, mine],
        [mine, mine, other],
        [mine, other, other],
        [{**mine, "NormalNumberOfUnits": 37}, other],
        [{**mine, "CalculationType": "ENTEREARNINGSRATE"}, other],
        [mine, {**other, "NormalNumberOfUnits": 2}],
        [mine, {**other, "Added": "by somebody"}],
    ):
        assert found(*lines) == ["earnings"], lines
    more = line(MORE, NormalNumberOfUnits=1)
    both = frozenset({str(HOURS), str(MORE)})
    for lines in ([mine, mine], [more, more]):
        assert differences({"EarningsLines": [mine, more]}, {"EarningsLines": lines}, both) == ["earnings"]
    assert differences({"EarningsLines": [mine, more]}, {"EarningsLines": [more, mine]}, both) == []
    assert found(mine, other, SuperLines=[{**SUPER, "Future": {"a": [2, None]}}]) == ["superannuation"]
    assert found(mine, other, SuperLines=[], LeaveLines=[{}], DeductionLines="?") == [
        "deductions",
        "superannuation",
        "leave",
    ]
    empty = {"EarningsLines": [line(HOURS, NormalNumberOfUnits=0)]}
    assert differences(empty, {"EarningsLines": [line(HOURS)]}, ours) == [], "nothing is as good as zero"


def test_lines_of_ours_that_pay_nothing_stay_ours_without_the_rate_they_had() -> None:
    rated = OwnedEarningsLine(HOURS, "Hours", False, False, (Decimal("61.5"),), {"CalculationType": "USEEARNINGSRATE"})
    empty = replace(rated, empty=True, rates=(), before=None)
    for lines in ([], [line(HOURS, NormalNumberOfUnits=3)], [line(HOURS, CalculationType="ANNUALSALARY")]):
        made = planned({"EarningsLines": lines}, [pay(MORE, "1")], [rated])
        assert sorted(made.owned, key=lambda one: one.earnings_rate.int) == [
            empty, OwnedEarningsLine(MORE, "Hours", False, empty=False),
        ]  # fmt: skip
        assert (made.new, made.ours) == ((MORE,), frozenset({str(HOURS), str(MORE)}))


@pytest.mark.parametrize(
    ("before", "left"),
    [
        ({"CalculationType": "USEEARNINGSRATE"}, {}),
        ({"RatePerUnit": "40.25"}, {"RatePerUnit": Decimal("40.25")}),
        ({"CalculationType": "X", "RatePerUnit": 7}, {"CalculationType": "X", "RatePerUnit": Decimal(7)}),
    ],
)
def test_a_line_goes_back_to_how_it_was_calculated(before: dict[str, Any], left: dict[str, Any]) -> None:
    rated = line(HOURS, CalculationType="ENTEREARNINGSRATE", RatePerUnit=Decimal("61.5"), NormalNumberOfUnits=3)
    owned = [OwnedEarningsLine(HOURS, "Hours", False, False, (Decimal("61.50"),), before)]
    [found] = planned({"EarningsLines": [rated]}, [pay(HOURS, "8")], owned).template["EarningsLines"]
    assert found == line(HOURS, **{**left, "NormalNumberOfUnits": 8})


@pytest.mark.parametrize("rate", ["soon", None, 1.5])
def test_a_rate_that_cannot_be_read_is_not_ours_and_stays(rate: Any) -> None:
    odd = line(HOURS, CalculationType="ENTEREARNINGSRATE", RatePerUnit=rate)
    owned = [
        OwnedEarningsLine(HOURS, "Hours", False, False, (Decimal("61.50"),), {"CalculationType": "USEEARNINGSRATE"})
    ]
    [found] = planned({"EarningsLines": [odd]}, [pay(HOURS, "8")], owned).template["EarningsLines"]
    assert found == {**odd, "NormalNumberOfUnits": 8}


def test_what_is_no_list_of_lines_is_left_alone() -> None:
    for odd in ("x", "", 7, True, ["x"], [{}, 7], {"a": {}}, {}):
        found = plan({"EarningsLines": odd}, [], [])
        assert isinstance(found, list)
        assert (found[0].says, found[0].correction) == (
            "the pay template's earnings cannot be read", "Contact QicWorks support.",
        )  # fmt: skip
        assert differences({}, {"EarningsLines": odd}, frozenset()) == ["earnings"]


def test_a_line_of_ours_pays_the_same_only_with_the_same_values() -> None:
    ours = frozenset({str(HOURS)})

    def differs(wanted: dict[str, Any], found: dict[str, Any]) -> bool:
        lists = ({"EarningsLines": [line(HOURS, **fields)]} for fields in (wanted, found))
        return bool(differences(*lists, ours))

    entered = {"CalculationType": "ENTEREARNINGSRATE"}
    for wanted, found, expected in (
        ({"RatePerUnit": 40}, {"RatePerUnit": 41}, False),  # the pay item's rate counts
        ({**entered, "RatePerUnit": 40}, {**entered, "RatePerUnit": 41}, True),
        ({**entered, "RatePerUnit": 40}, {**entered, "RatePerUnit": Decimal("40.00")}, False),
        ({"NormalNumberOfUnits": 0}, {}, False),
        ({"NormalNumberOfUnits": 0}, {"NormalNumberOfUnits": 5}, True),
        ({"NormalNumberOfUnits": 5}, {}, True),
        ({"Odd": True}, {"Odd": False}, True),
        ({"Odd": True}, {"Odd": True}, False),
        ({"Odd": 1}, {"Odd": True}, True),
        ({"Odd": None}, {}, False),
        ({"Odd": "A"}, {"Odd": "a"}, False),  # ids come in either case
        ({"Odd": ["A", 1]}, {"Odd": ["a", Decimal("1.0")]}, False),
        ({"Odd": ["A", 1]}, {"Odd": ["A"]}, True),
        ({"Odd": {"a": 1, "b": None}}, {"Odd": {"A": 1}}, True),
        ({"Odd": {"a": 1, "b": None}}, {"Odd": {"a": Decimal("1.0")}}, False),
    ):
        assert differs(wanted, found) is expected, (wanted, found)


def test_xeros_words_are_told_without_names_and_amounts() -> None:
    who = {"first_name": "Kiri", "last_name": "Ng", "id": HOURS}
    document = pay_document(who)
    said = ["The rate $45.50 of KIRI NG is above 1,041.5 ($1,041.50), in 50 characters; Ngaire may"]
    assert redacted(said, document) == ["The rate … of … … is above … (…), in … characters; Ngaire may"]
    for words, told in (
        ("salary 95000 is AUD 41,50 too much", "salary … is AUD … too much"),
        ("38 hours at 1,234 and 1 234.50, 95k, x7y", "… hours at … and …, …k, x…y"),
        (f"Employee {HOURS} has 3", f"Employee {HOURS} has …"),
    ):
        assert redacted([words], document) == [told]
    row = {**who, "email": "k.ng@example.com.au", "phone": "(07) 5550 1"}
    assert redacted(["Mail of k.ng@example.com.au is taken"], pay_document(row)) == ["Mail of … is taken"]
    long = "Nobody ever heard of this, " * 10
    assert len(redacted([long], document)[0]) == 120
    known = "Leave type not assigned to employee" + " who has none" * 20
    assert redacted([known], document) == [known]


@given(
    words=st.lists(st.text(st.characters(exclude_categories=["Nd"]), max_size=8), min_size=2, max_size=5),
    amount=st.decimals(0, 10**7, places=2),
    how=st.sampled_from(["{}", "{:f}", "{:,}", "${:,.2f}", "{:.0f}", "A{}B", "-{}", "{}%"]),
    id=st.uuids(),
)
def test_no_digit_of_an_amount_survives(words: list[str], amount: Decimal, how: str, id: UUID) -> None:
    said = how.format(amount).join(words)
    [told] = redacted([f"{said} {id}"], pay_document({"id": HOURS}))
    assert not any(character.isdecimal() for character in told.replace(str(id), ""))


@pytest.mark.parametrize("odd", ["\ud800", {"deep": "\udfff"}, [["\ud800"]]])
def test_what_cannot_be_sent_back_is_said_before_anything_is_sent(odd: Any) -> None:
    template = {"EarningsLines": [line(HOURS, Name=odd)], "SuperLines": [SUPER]}
    [found] = check_text(template)
    assert found.correction
    usual = line(HOURS, Name="Überstunden 🙂", NormalNumberOfUnits=Decimal("1.50"), Odd=None)
    assert list(check_text({"EarningsLines": [usual], "SuperLines": None})) == []


def test_a_template_too_deep_to_be_sent_back_is_no_error_of_ours() -> None:
    [found] = check_text({"EarningsLines": [line(HOURS, Odd=within(100_000, 1))]})
    assert found.says == "Xero's pay template contains characters that cannot be sent back"


@pytest.mark.parametrize(
    "fields",
    [
        {"rates": (Decimal("61.5"), Decimal(40)), "before": {"CalculationType": "USEEARNINGSRATE"}},
        {"before": {"CalculationType": "ENTEREARNINGSRATE", "RatePerUnit": "40.25"}},
        {"before": {}},
        {"period_start": date(2026, 11, 2)},
        {},
    ],
)
def test_what_qicworks_remembers_of_a_line_is_as_it_wrote_it(fields: dict[str, Any]) -> None:
    assert list(check_owned_lines([OwnedEarningsLine(HOURS, "Hours", False, False, **fields)])) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"rates": (Decimal(40), Decimal("NaN"))},
        {"rates": (Decimal("Infinity"),)},
        {"rates": ("40",)},
        {"rates": (None, Decimal(40))},
        {"period_start": OutOfRange("20261-10-05")},
        {"before": "USEEARNINGSRATE"},
        {"before": ["CalculationType"]},
        {"before": []},
        {"before": {"CalculationType": "USEEARNINGSRATE", "RatePerUnit": 40}},
        {"before": {"CalculationType": None}},
        {"before": {"CalculationType": "ENTEREARNINGSRATE", "RatePerUnit": "much"}},
        {"before": {"RatePerUnit": ""}},
    ],
)
def test_of_what_is_not_readable_any_more_nothing_is_paid(fields: dict[str, Any]) -> None:
    """A wrong rate of before would stay in the template, and pay."""
    fine = OwnedEarningsLine(MORE, "Kilometres", True, False)
    [found] = check_owned_lines([fine, OwnedEarningsLine(HOURS, "Hours", False, False, **fields), fine])
    assert "'Hours'" in found.says
    assert found.correction == "Enter this pay in Xero by hand, and contact QicWorks support."


def within(levels: int, kernel: Any) -> Any:
    """It in so many objects and lists by turns, of which the outermost is an object."""
    for level in range(levels):
        kernel = {"a": kernel} if (levels - level) % 2 else [kernel]
    return kernel


@pytest.mark.parametrize("rate", [HOURS, OTHER])
def test_lines_are_compared_twenty_levels_deep_and_no_deeper(rate: UUID) -> None:
    """No line of Xero's is as deep; one that is, is no error."""

    def differs(levels: int) -> bool:
        one, other = ({"EarningsLines": [line(rate, Odd=within(levels, value))]} for value in (1, 2))
        return bool(differences(one, other, frozenset({str(HOURS)})))

    of_the_line = int(rate == OTHER)  # what is not ours is compared as a whole
    assert [differs(levels - of_the_line) for levels in (1, 2, 19, 20)] == [True] * 4
    assert [differs(levels - of_the_line) for levels in (21, 22, 23, 50, 100_000)] == [False] * 5
