"""What Xero says, word for word, and what a user of QicWorks is told to do about it."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xero.datasets.registry import DATASETS
from xero.documents import checks
from xero.sync.push import corrections
from xero.sync.push.corrections import Correction, WrongCatalogue, catalogue, correct, is_failure, read, renumbered

# Xero's words, a distinctive piece of the correction, its kind.
SAID = [
    ("invalid_grant", "press Edit next to the organisation, then Connect to Xero again", "reconnect"),
    ("The User specified does not have the correct permissions to perform this action", "Standard or", "reconnect"),
    ("You have reached the limit of invoices you can approve", "Upgrade the Xero plan", "configuration"),
    ("Organisation is not subscribed to currency USD", "Add the currency USD in Xero", "configuration"),
    (
        "Idempotency Key: 7f3c-inv-001 is used with a different request.",
        "If it is there once, set it to Skipped",
        "retry",
    ),
    (
        "JSON for post data was invalid, Could not convert string to DateTime: 31/06/2025.",
        "enter its dates again (document date",
        "user_fix",
    ),
    ("JSON for post data was invalid", "dates, quantities and amounts again", "user_fix"),
    ("Invoice not of valid status for modification", "new number in QicWorks (INV-001 → INV-001A); its", "user_fix"),
    ("Credit note not of valid status for modification", "its attachments are sent with it", "user_fix"),
    ("Credit Note not of valid status for modification", "its attachments are sent with it", "user_fix"),
    ("Document not of valid status for modification", "enter it by hand in Xero with the same number", "user_fix"),
    ("Invoice not of valid status for creation", "give it a status that can be pushed", "user_fix"),
    (
        "This document cannot be edited as it has a payment or credit note allocated to it.",
        "remove the payment or the credit note from it",
        "conflict",
    ),
    (
        "The status AUTHORISED cannot be applied to the invoice "
        "because it has payments or credit notes allocated to it",
        "first remove the payments and credit notes",
        "conflict",
    ),
    (
        "The status VOIDED cannot be applied to the invoice because it has payments or credit notes allocated to it.",
        "first remove the payments and credit notes",
        "conflict",
    ),
    (
        "Date cannot be changed on an invoice that has payment or credit notes allocated to it",
        "Set the date of the invoice INV-001 back to the date in Xero",
        "conflict",
    ),
    ("Invoice # must be unique.", "give the invoice INV-001 a new number (INV-001 → INV-001A)", "user_fix"),
    ("Order number must be unique", "another order, give the invoice INV-001 a new", "user_fix"),
    (
        "Only AUTHORISED and BILLED purchase orders may have SentToContact updated.",
        "After approving the invoice INV-001 in Xero, mark it as sent there",
        "user_fix",
    ),
    (
        "The TaxType code 'OUTPUT' cannot be used with account code '400'.",
        "On every line with account 400, change the tax code OUTPUT to one",
        "user_fix",
    ),
    (
        "The TaxType code OUTPUT cannot be used with account code 20.1. Check the line.",
        "On every line with account 20.1, change the tax code OUTPUT to one",
        "user_fix",
    ),
    (
        "The TaxType code GST on Income does not exist or cannot be used for this type of transaction.",
        "change the tax code GST on Income on its lines",
        "user_fix",
    ),
    ("The TaxType field is mandatory", "give each line a tax code", "user_fix"),
    ("Tax rate must be valid.", "choose the tax code of each line again", "user_fix"),
    ("The tax amount cannot be greater than the line amount!", "correct the tax on the line", "user_fix"),
    ("Account code '610' is not a valid code for this document.", "choose another active account", "user_fix"),
    (
        "Account code '200' has been archived, or has been deleted. Each line item must reference a valid account.",
        "Restore account 200 in Xero",
        "user_fix",
    ),
    ("Account must be valid.", "choose the account of each line again", "user_fix"),
    ("Account could not be found.", "choose the account of each line again", "user_fix"),
    ("Account code must be specified", "choose an account for each line", "user_fix"),
    ("The account code or ID must be specified", "choose an account for each line", "user_fix"),
    ("The description field is mandatory for each line item", "write a description on each line", "user_fix"),
    (
        "Account code '476' has been removed as it does not match a recognised account.",
        "choose another account for the lines that have 476",
        "user_fix",
    ),
    (
        "The line total 33.33 does not match the expected line total 33.3333",
        "correct the line of 33.33. Then release it.",
        "configuration",
    ),
    (
        "The line total 33.33 does not match the expected line total of 33.3333.",
        "in QicWorks under Account settings › Financial rounding",
        "configuration",
    ),
    (
        "The UnitAmount should be used when specifying a discount for a line item.",
        "give the discounted line a quantity and a unit price",
        "user_fix",
    ),
    (
        "The quantity value '-2.0000' is invalid. Quantity must not be less than zero.",
        "make the quantity -2.0000 positive",
        "user_fix",
    ),
    (
        "The Total for this document must be greater than or equal to zero.",
        "Create a credit note instead",
        "user_fix",
    ),
    ("Due date cannot be empty.", "enter a due date", "user_fix"),
    (
        "The document date cannot be before the period lock date, currently set at 30 Jun 2025",
        "a date after the period lock date (30 Jun 2025). Or",
        "user_fix",
    ),
    (
        "The document date cannot be before the end of year lock date, currently set at 30/06/2025.",
        "a date after the end of year lock date (30/06/2025). Or",
        "user_fix",
    ),
    (
        "The document date cannot be before the period lock date",
        "a date after the period lock date. Or",
        "user_fix",
    ),
    (
        "The document cannot be edited as it is currently dated before the period lock date",
        "accountant to move the period lock date back",
        "conflict",
    ),
    (
        "The document cannot be edited as it is currently dated before the end of year lock date",
        "accountant to move the end of year lock date back",
        "conflict",
    ),
    (
        "The contact name Fern & Co {Perth} is already assigned to another contact. "
        "The contact name must be unique across all active contacts.",
        "choose the contact Fern & Co {Perth} that was pulled from Xero",
        "user_fix",
    ),
    (
        "The contact name already exists. Please enter a different contact name",
        "choose the contact that was pulled from Xero",
        "user_fix",
    ),
    ("Please enter a unique Name.", "Give the new record another name", "user_fix"),
    (
        "Another contact has this contact number. Please enter a different contact number.",
        "search all contacts, including archived ones",
        "user_fix",
    ),
    (
        "The contact with the specified contact details has been archived. "
        "The contact must be un-archived before creating new invoices or credit notes",
        "choose the contact that took its place",
        "user_fix",
    ),
    (
        "The specified contact details matched an archived contact. "
        "Archived contacts cannot currently be edited via the API.",
        "Contacts › Archived) and pull contacts (Xero › Connections › Synchronise, tick Contacts, press Pull)",
        "user_fix",
    ),
    ("Contact name cannot be empty", "choose a contact that was pulled from Xero", "user_fix"),
    ("Contact cannot be empty.", "choose a contact that was pulled from Xero", "user_fix"),
    ("Paid to name cannot be empty.", "choose a contact that was pulled from Xero", "user_fix"),
    (
        "The Contact must contain at least 1 of the following elements to identify the contact: "
        "Name, ContactID, ContactNumber",
        "choose a contact that was pulled from Xero",
        "user_fix",
    ),
    ("Email address must be valid.", "Correct the contact's email address", "user_fix"),
    (
        "Additional people cannot be added when the primary person has no email address set.",
        "for the primary person of the contact",
        "user_fix",
    ),
    ("Payments can only be made against Authorised documents", "then enter its payment there", "user_fix"),
    (
        "Payment amount exceeds the amount outstanding on this document",
        "Compare the payments of the invoice INV-001",
        "conflict",
    ),
    ("Only Status accepted for updates.", "Remove the payment of the invoice INV-001", "user_fix"),
    (
        "An existing Credit Note with the specified CreditNoteID could not be found",
        "is matched to the right Xero organisation. If it is",
        "conflict",
    ),
    (
        "The document with the supplied id was not found for this endpoint.",
        "has the right type in Xero (for example bill, not invoice)",
        "conflict",
    ),
    (
        "An existing invoice with the specified ID could not be found",
        "give it a new number in QicWorks (INV-001 → INV-001A)",
        "conflict",
    ),
    (
        "A valid user should be identified using the UserID.",
        "invite the person to the Xero organisation",
        "configuration",
    ),
    ("Spend money transactions cannot be updated", "use Remove & Redo on the reconciled transaction", "conflict"),
    (
        "The specified bank account details do not match a known bank account",
        "choose a bank account that Xero has",
        "user_fix",
    ),
    ("Price List Item with Code 'BOLT-8' does not exist.", "Create the item BOLT-8 in Xero", "user_fix"),
    ("Price List Item with Code BOLT 8 is not found", "Create the item BOLT 8 in Xero", "user_fix"),
    ("Unable to assign an Archived contact.", "Take the contact out of the group", "user_fix"),
    (
        "Width of the order has been removed as it does not match anything.",
        "choose again the value that Xero names",
        "user_fix",
    ),
    (
        "Purchase orders may not be dated before a lock date.",
        "Give the invoice INV-001 a date after the lock date",
        "user_fix",
    ),
    ("It has credit notes allocated.", "Undo your change to the invoice INV-001 in QicWorks", "conflict"),
    ("The tracking option is archived.", "restore the archived item named above", "user_fix"),
    ("Code must be unique", "Change the name or number of the invoice INV-001 to one not yet used in Xero", "user_fix"),
    ("A validation exception occurred", "Check the contact, dates, accounts, tax codes", "user_fix"),
]
SAID_OF_PAYROLL = [
    ("Email address must be valid.", "Correct the employee's email address in Xero", "user_fix"),
    ("Termination reason is required", "enter the termination reason", "user_fix"),
    ("Invalid OrdinaryEarningsRateID", "choose it as the ordinary earnings rate", "configuration"),
    (
        "Superannuation guarantee contribution line missing in pay template",
        "add the superannuation guarantee contribution line",
        "configuration",
    ),
    ("There can only be one draft pay run per calendar", "post the draft pay run of this calendar", "user_fix"),
    (
        "Payroll calendar may not be changed while the employee has unprocessed leave",
        "process the employee's leave in a pay run",
        "user_fix",
    ),
    (
        "Payroll Calendar may not be changed while an unprocessed timesheet exists for this employee",
        "process the employee's timesheet in a pay run",
        "user_fix",
    ),
    ("Invalid leave period", "the period's start in QicWorks' account settings", "configuration"),
    ("Earnings rate does not exist", "choose a pay code that is active in Xero", "user_fix"),
    (
        "Earnings Rate 4f1c *** does not exist or is not valid for timesheets.",
        "choose a pay code that is active in Xero",
        "user_fix",
    ),
    ("Pay element not found", "choose a pay code that is active in Xero", "user_fix"),
    ("Timesheet is not a draft timesheet", "revert the employee's timesheet to draft. Then", "conflict"),
    ("Timesheet already exists", "timesheet to draft or delete it", "conflict"),
    ("No payroll calendar found", "choose a payroll calendar", "configuration"),
    ("Employee is missing pay calendar", "choose a payroll calendar", "configuration"),
    ("Leave type not assigned to employee", "assign the leave type", "configuration"),
    ("Invalid EmployeeID 4f1c ***", "check that the employee is active", "user_fix"),
]
#: Of new contacts themselves.
SAID_OF_CONTACTS = [
    (
        "The contact name Brand new is already assigned to another contact. The contact name must be unique across all "
        "active contacts.",
        "press Retry and link it to that one",
        "user_fix",
    ),
    (
        "Another contact has this contact number. Please enter a different contact number.",
        "search all contacts, also archived ones, for this number",
        "user_fix",
    ),
    (
        "The specified contact details matched an archived contact. "
        "Archived contacts cannot currently be edited via the API.",
        "undo the change of the invoice INV-001 in QicWorks",
        "user_fix",
    ),
    ("Email address must be valid.", "and those of its contact persons", "user_fix"),
    (
        "Additional people cannot be added when the primary person has no email address set.",
        "Enter the email of the invoice INV-001 in QicWorks",
        "user_fix",
    ),
]
ALL = [("business", *one) for one in SAID] + [("payroll", *one) for one in SAID_OF_PAYROLL]
ALL += [("contacts", *one) for one in SAID_OF_CONTACTS]


def corrected(*messages: str, number: str | None = "INV-001", function: str = "business") -> Correction:
    return correct(messages, document="invoice INV-001", number=number, function=function)


@pytest.mark.parametrize(("function", "words", "piece", "kind"), ALL, ids=[one[1][:60] for one in ALL])
def test_what_xero_says_is_known(function: str, words: str, piece: str, kind: str) -> None:
    for said in (words, words.upper(), f"  {words}\n".replace(" ", " \n")):
        found = corrected(said, function=function)
        assert found.known
        assert found.kind == kind
    found = corrected(words, function=function)
    assert piece in found.text
    assert found.cause


def test_every_entry_is_the_first_that_matches_something() -> None:
    """One that is never first stands below a more general one."""
    heard = set()
    for function, words, _, _ in ALL:
        heard.add(next(entry for entry in catalogue() if function in entry.functions and entry.search(words)))
    silent = [entry.pattern for entry in catalogue() if entry not in heard]
    assert catalogue()
    assert not silent, f"no words in SAID come to these entries; are they behind a more general one? {silent}"


def test_an_entry_reads_as_sentences() -> None:
    for entry in catalogue():
        for sentence in (entry.cause, entry.correction):
            assert sentence[0].isupper(), sentence
            assert sentence.endswith("."), sentence
            assert "  " not in sentence, sentence


def test_a_document_that_is_to_be_changed_is_to_be_released() -> None:
    """A draft is not pushed, and an edit leaves a draft a draft. A failed document waits for Retry."""
    endings = {
        "release": "Then release it. It is pushed within 15 minutes, or press Push now.",
        "either": "If you changed it, release it: it is pushed within 15 minutes. "
        "If not, open it under Xero › Documents and press Retry.",
        "approve": "Then approve it in QicWorks. It is pushed within 15 minutes, or press Push now.",
        "retry": "Then open it under Xero › Documents and press Retry.",
    }
    for entry in catalogue():
        assert entry.then != "release" or "{document}" in entry.correction, entry.correction
    heard = set()
    for function, words, _, _ in ALL:
        entry = next(entry for entry in catalogue() if function in entry.functions and entry.search(words))
        text = corrected(words, function=function).text
        shown = {then for then, ending in endings.items() if ending in text}
        assert shown == {entry.then} - {None}, text
        assert text.endswith("contact QicWorks support.") is entry.support, text
        heard.add(entry.then)
    assert heard == {None, *endings}


def test_no_document_is_to_be_taken_back_to_draft() -> None:
    """That is a cancellation of a document that was pushed: its draft in Xero would be deleted."""
    texts = [entry.correction for entry in catalogue() if "employee's timesheet" not in entry.correction]
    assert len(texts) > 50
    for text in (*texts, Path(checks.__file__).read_text()):
        assert not re.search(r"\brevert|to draft\b(?! in QicWorks)", text, re.IGNORECASE), text


def test_of_several_endings_one_is_shown() -> None:
    changed, elsewhere, either = "Due date cannot be empty.", "Termination reason is required", "The lock date"
    assert corrected(changed, elsewhere, either).text.endswith(corrected(changed).text[-40:])
    assert corrected(either, elsewhere).text.endswith(corrected(either).text[-40:])
    assert corrected(changed, either).text.count("Retry") == 0


def test_one_action_has_one_name() -> None:
    """And the places that a correction names are there."""
    titles = "|".join(re.escape(dataset.title) for dataset in DATASETS.values())
    way = rf"Xero › Connections › Synchronise, (?:tick (?:{titles}), press Pull|press Pull all set-up data)"
    told = [corrected(words, function=function).text for function, words, _, _ in ALL]
    assert sum("press Pull" in text for text in told) > 10
    for text in told:
        assert len(re.findall(way, text)) == len(re.findall("synchronise", text, re.IGNORECASE)), text
        assert len(re.findall(r"\bpull (?!all)", text, re.IGNORECASE)) == len(re.findall(rf"\({way}\)", text)), text
        for elsewhere in ("Business ›", "pencil", "push again", "anew", "paired"):
            assert elsewhere not in text, text


def test_the_specific_wins_over_the_general() -> None:
    first = corrected("Invoice # must be unique.").text
    assert first != corrected("Code must be unique").text
    words = "This document cannot be edited as it has a payment or credit note allocated to it."
    # A paid invoice that gets a new number is two invoices: the general words stay silent beside the telling ones.
    both = corrected("Invoice not of valid status for modification", "A validation exception occurred", words)
    assert both == corrected(words)
    vague = corrected("A validation exception occurred", "Invoice not of valid status for modification")
    assert vague == corrected("Invoice not of valid status for modification")


def test_several_refusals_are_all_corrected_the_gravest_names_the_kind() -> None:
    due, description = "Due date cannot be empty.", "The description field is mandatory for each line item"
    both = corrected(description, due, description, "DUE DATE cannot be empty")
    release = "Then release it. It is pushed within 15 minutes, or press Push now."
    first, second = (corrected(words).text.removesuffix(f" {release}") for words in (description, due))
    assert both.text == f"{first} {second} {release}"
    assert both.cause == f"{corrected(description).cause} {corrected(due).cause}"
    of_each_kind = [
        "Idempotency Key: k is used with a different request.",
        due,
        "Spend money transactions cannot be updated",
        "Organisation is not subscribed to currency USD",
        "invalid_grant",
    ]
    kinds = [corrected(*reversed(of_each_kind[:count])).kind for count in range(1, 6)]
    assert kinds == ["retry", "user_fix", "conflict", "configuration", "reconnect"]
    two = corrected("Account code '1' is not a valid code for this document.", "Account code '2' has been archived")
    assert "for the lines that have 1." in two.text
    assert "account 2 " in two.text
    assert two.text.count("release it") == 1


def test_what_is_not_in_the_catalogue_is_said_to_be_unknown() -> None:
    for messages in ([], [" "], ["The moon is in the wrong house."], ["Termination of the {moon}"]):
        found = corrected(*messages)
        assert (found.kind, found.known) == ("user_fix", False)
        assert found.text.startswith(
            "QicWorks has no instructions for this message of Xero yet. Correct what the message"
        )
        assert found.text.endswith("contact QicWorks support.")
    mixed = corrected("Due date cannot be empty.", "The moon is in the wrong house.")
    assert not mixed.known
    assert mixed.text == (
        "On the invoice INV-001, enter a due date. QicWorks has no instructions for this message of Xero yet. "
        "Correct what the message names, in QicWorks or in Xero. Then release it. It is pushed within 15 "
        "minutes, or press Push now. If it is refused again, enter it by hand in Xero, set it to Skipped in QicWorks "
        "and contact QicWorks support."
    )
    assert not corrected("Email address must be valid.", function="connection").text.startswith("Correct the employee")


def test_a_document_without_a_number_is_not_offered_one() -> None:
    for number in (None, ""):
        assert (
            "give the invoice INV-001 a new number; its" in corrected("Invoice # must be unique.", number=number).text
        )


def test_values_are_put_in_once() -> None:
    words = "Account code '{document} [x] {0} {number}' has been archived"
    assert "Restore account {document} [x] {0} {number} in Xero" in corrected(words).text
    found = correct([words], document="bill {1} [{account}]", number="{1}", function="business")
    assert "Or, on the bill {1} [{account}], choose" in found.text


def test_warnings_fail_where_xero_dropped_something() -> None:
    assert is_failure("Account code '476' has been removed as it does not match a recognised account.")
    assert is_failure("Tracking option 'West' has been removed as it does not match a recognised option")
    assert not is_failure("Only AUTHORISED and BILLED purchase orders may have SentToContact updated.")
    assert not is_failure("The moon is in the wrong house.")
    assert not is_failure("Invoice # must be unique."), "an entry that says nothing of warnings is none"
    both = "Tax rate must be valid. Account code '476' has been removed as it does not match a recognised account."
    assert is_failure(both), "whatever else it says"


PIECES = [one[1] for one in ALL] + ["{", "}", "[", "]", "{}", "{document}", "\\", "\n", "🦘", "'", "%s", "\\1", "\0"]
words = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES) | st.text(max_size=5)).map("".join))


@settings(max_examples=200)
@given(
    messages=st.lists(words, max_size=6),
    document=words,
    number=st.none() | words,
    function=st.sampled_from(["business", "payroll", "connection", "?"]),
)
def test_it_never_raises_and_always_says_something(
    messages: list[str], document: str, number: str | None, function: str
) -> None:
    found = correct(messages, document=document, number=number, function=function)
    assert found.text.strip()
    assert found.cause.strip()
    assert found.kind in {"reconnect", "configuration", "conflict", "user_fix", "retry"}
    for message in messages:
        is_failure(message)  # raises nothing either


@pytest.mark.parametrize(
    ("number", "next_number"),
    [
        ("INV-001", "INV-001A"),
        ("INV-001A", "INV-001B"),
        ("INV-001b", "INV-001c"),
        ("INV-001Y", "INV-001Z"),
        ("INV-001Z", "INV-001ZA"),
        ("INV-001AB", "INV-001ABA"),
        ("INV-A", "INV-AA"),
        ("IV 17 ", "IV 17A"),
        ("", "A"),
    ],
)
def test_the_next_number(number: str, next_number: str) -> None:
    assert renumbered(number) == next_number


@given(st.text() | st.from_regex(r"[A-Z]{2,3}-?[0-9]{1,6}[A-Za-z]{0,2}", fullmatch=True))
@example("INV-001Z")
@example("INV-001z")
@example("INV-001A\n")
def test_a_new_number_is_new_again_and_again(number: str) -> None:
    numbers = [number.rstrip()]
    for _ in range(30):
        numbers.append(renumbered(numbers[-1]))
    assert len(set(numbers)) == 31
    assert renumbered(number) != number


ENTRY = "[[correction]]\npattern = '{pattern}'\ncause = 'So.'\ncorrection = '{correction}'\nkind = '{kind}'\n{more}\n"
RIGHT = {"pattern": "some (thing)", "correction": "Do {1} with {document}[ ({number})].", "kind": "retry", "more": ""}


def test_an_entry_that_cannot_be_used_is_told_with_its_place() -> None:
    assert len(read(ENTRY.format(**RIGHT))) == 1
    wrong: Sequence[tuple[dict[str, str], str]] = [
        ({"kind": "whatever"}, r"'whatever' .*correction\[1\].kind"),
        ({"more": "functions = ['sales']"}, r"'sales' .*correction\[1\]"),
        ({"more": "fail = true"}, r"unknown field `fail` .*correction\[1\]"),
        ({"pattern": "some (thing"}, r"entry 2, pattern 'some \(thing': not a regular expression"),
        ({"pattern": ""}, "entry 2.*matches every message"),
        ({"pattern": "x*"}, "entry 2.*matches every message"),
        ({"pattern": "(?P<number>x)"}, "entry 2.*may not be called number"),
        ({"pattern": "(?P<pull_staff>x)"}, "entry 2.*may not be called pull_staff"),
        ({"more": "then = 'later'"}, r"'later' .*correction\[1\].then"),
        ({"correction": "Pull ({pull_crew})."}, "entry 2.*unknown placeholder: pull_crew"),
        ({"correction": "Do {2}."}, "entry 2.*unknown placeholder: 2"),
        ({"correction": "Do {documents}."}, "entry 2.*unknown placeholder: documents"),
        ({"correction": "Do {number}."}, r"entry 2.*put number in \[brackets\]"),
        ({"correction": "Do [it."}, "entry 2.*unmatched brace"),
        ({"correction": "Do {document."}, "entry 2.*unmatched brace"),
        ({"correction": ""}, "entry 2.*is empty"),
    ]
    for change, told in wrong:
        with pytest.raises(WrongCatalogue, match="(?i)" + told):
            read(ENTRY.format(**RIGHT) + ENTRY.format(**RIGHT | change))
    with pytest.raises(WrongCatalogue, match=r"corrections\.toml"):
        read("[[correction]\n")


def test_a_value_that_xero_did_not_name_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = read(ENTRY.format(**RIGHT | {"pattern": "some ?(thing)?"}))
    monkeypatch.setattr(corrections, "catalogue", lambda: entries)
    assert corrected("some thing").text == "Do thing with invoice INV-001 (INV-001)."
    assert corrected("some", number=None).text == "Do … with invoice INV-001."


def test_it_lies_beside_its_reader() -> None:
    """The wheel takes plugins/xero whole, the catalogue with it."""
    assert Path(corrections.__file__).with_name("corrections.toml").is_file()
