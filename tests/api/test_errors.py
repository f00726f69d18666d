"""Xero's words are dug out once, and no secret gets into them."""

import base64
import pickle
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from xero.api.errors import (
    ConsentFailed,
    Limit,
    NotSent,
    ReconnectNeeded,
    Refused,
    RetryLater,
    XeroError,
    cleaned,
    field,
    has_reasons,
    without_numbers,
)

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzY29wZSI6ImEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("answer", "messages"),
    [
        (
            {
                "ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception occurred",
                "Elements": [
                    {"Name": "Bob", "ValidationErrors": [{"Message": "Please enter a unique Name."}]},
                    {"LineItems": [{"ValidationErrors": [{"Description": "Account code 'X' is not valid"}]}]},
                ],
            },
            ["Please enter a unique Name.", "Account code 'X' is not valid"],
        ),
        (
            {"Message": "A validation exception occurred",
             "Employees": [{"ValidationErrors": [{"Message": "Termination reason is required"}], "FirstName": "Ann"}]},
            ["Termination reason is required"],
        ),
        ({"problem": {"detail": "Bad", "invalidFields": [{"name": "x", "reason": "x is needed"}]}}, ["x is needed"]),
        ({"problem": {"title": "BadRequest", "detail": "The id is wrong", "invalidFields": None}}, ["The id is wrong"]),
        ({"ErrorNumber": 16, "Type": "QueryParseException", "Message": "No property X"}, ["No property X"]),
        ({"Title": "Unauthorized", "Detail": "TokenExpired"}, ["TokenExpired"]),
        ("The resource you're looking for cannot be found", ["The resource you're looking for cannot be found"]),
        (None, []),
        ([], []),
        ({"Elements": None, "Message": None}, []),
    ],
)  # fmt: skip
def test_the_reasons_are_found_wherever_xero_puts_them(answer: object, messages: list[str]) -> None:
    refused = Refused(400, answer)
    assert refused.messages == messages
    assert all(words.rstrip(".") in str(refused) for words in messages)
    assert "HTTP 400" in str(refused)


def test_a_servers_words_are_made_fit_for_a_log() -> None:
    said = cleaned(
        f"Bearer {JWT} and {JWT}\r\nX-Forged: line; the secret is s3cr3t; Basic aWQ6c2VjcmV0", "s3cr3t", None
    )
    assert JWT not in said
    assert "s3cr3t" not in said
    assert "aWQ6" not in said
    assert "\n" not in said
    assert "X-Forged: line" in said
    assert len(cleaned("x" * 10_000)) == 500


SECRET = "~?a/b c+~~~>>>?ü"  # has in each spelling what the others have not


@pytest.mark.parametrize(
    "spelled",
    [
        SECRET,
        quote(SECRET, safe=""),  # in an address
        SECRET.replace("/", "\\/"),  # in JSON, as PHP and .NET write it
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(SECRET.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
@pytest.mark.parametrize("capitals", [str, str.upper, str.lower, str.swapcase])
def test_a_secret_is_masked_in_each_of_its_usual_spellings(spelled: str, capitals: Callable[[str], str]) -> None:
    said = cleaned(f"before {capitals(spelled)} after", "other", SECRET)
    assert said.replace("***=", "***") == "before *** after"


@pytest.mark.parametrize(("short", "long"), [("abc", "abcdef"), ("zebra", "a-zebra-9"), ("beta", "alphabeta")])
def test_of_a_secret_that_holds_another_one_nothing_is_left(short: str, long: str) -> None:
    for secrets in ((short, long), (long, short)):
        assert cleaned(f"{long} and {short}", *secrets) == "*** and ***"


def test_a_secret_that_no_encoding_holds_is_masked_too() -> None:
    assert cleaned("key\udcff", "key\udcff") == "***"
    assert cleaned("no secret", "", None) == "no secret"


def test_what_a_terminal_obeys_is_a_blank() -> None:
    assert cleaned(" one\x1b\x00two\u202ethree\ud800 \n") == "one two three"
    assert cleaned(XeroError("It failed.", "Try again.")) == "It failed. Try again."


def test_a_refusal_echoing_the_token_does_not_hold_it() -> None:
    assert JWT not in repr(Refused(400, {"Message": f"bad token {JWT}"}))
    assert "opaque-token" not in repr(Refused(400, {"Message": "bad token opaque-token"}, "opaque-token"))


@pytest.mark.parametrize(
    "error",
    [RetryLater(66975, "day"), RetryLater(4, "outage", "Down.", "Wait."), NotSent(), ConsentFailed("It ended."),
     ReconnectNeeded("Broken.", "Connect.")],
)  # fmt: skip
def test_errors_travel_between_processes(error: XeroError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)


def test_a_refusal_travels_too() -> None:
    copy = pickle.loads(
        pickle.dumps(Refused(400, {"Elements": [{"ValidationErrors": [{"Message": "No."}, {"Message": "Never."}]}]}))
    )
    assert copy.status == 400
    assert copy.messages == ["No.", "Never."]


def test_a_limit_says_when_it_opens() -> None:
    assert "18.6 hours" in str(RetryLater(66975, "day"))
    assert "30 seconds" in str(RetryLater(30, "minute"))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(89, "in 89 seconds"), (90, "in 2 minutes"), (120, "in 2 minutes"), (5399, "in 90 minutes"),
     (5400, "in 1.5 hours"), (3_600_000, "in 1000.0 hours")],
)  # fmt: skip
def test_how_long_it_takes_is_said_in_the_unit_that_fits(seconds: float, said: str) -> None:
    assert str(RetryLater(seconds, "minute")).startswith(
        f"Xero's limit of calls per organisation and minute is reached; the next call is possible {said}."
    )


@pytest.mark.parametrize(
    ("limit", "said"),
    [("minute", "per organisation and minute"), ("day", "per organisation and day"), ("app", "per app and minute"),
     ("concurrent", "in flight per organisation"), ("outage", "outage")],
)  # fmt: skip
def test_which_limit_it_is_is_said(limit: Limit, said: str) -> None:
    error = RetryLater(4, limit)
    assert (error.limit, error.seconds) == (limit, 4)
    assert str(error).startswith(
        f"Xero's limit of calls {said} is reached; the next call is possible in 4 seconds. Nothing to do"
    )


def test_a_long_answer_is_cut_to_five_hundred_characters() -> None:
    assert cleaned("x" * 500) == "x" * 500
    assert cleaned("x" * 501) == "x" * 499 + "…"


def test_of_many_reasons_the_first_twenty_are_kept_each_once() -> None:
    reasons = [{"Message": f"no {number // 2}"} for number in range(60)]
    assert Refused(400, {"ValidationErrors": reasons}).messages == [f"no {number}" for number in range(20)]


def test_runs_of_six_digits_are_masked_wherever_they_stand() -> None:
    """Of payroll they may be tax file or account numbers."""
    said = {"Message": "TFN 123 456 782 is wrong", "Elements": [{"Number": "123456"}, 123456, None], "Code": "12345"}
    assert without_numbers(said) == {
        "Message": "TFN *** is wrong", "Elements": [{"Number": "***"}, 123456, None], "Code": "12345",
    }  # fmt: skip


def test_the_ids_of_a_payroll_answer_are_not_told_as_numbers() -> None:
    said = without_numbers("Employee 01234567-89AB-cdef-0123-456789abcdef, account 12-3456.7 89")
    assert said == "Employee (an id), account ***"


def within(levels: int, kernel: Any, *keys: str) -> Any:
    """`kernel` in so many lists and objects; the last of `keys` is the outermost one's, and "" makes a list."""
    for level in range(levels):
        key = keys[level % len(keys)]
        kernel = {key: kernel} if key else [kernel]
    return kernel


@pytest.mark.parametrize(
    ("keys", "key"),
    [([""], ""), (["ValidationErrors"], "problem"), (["Contact"], "validationErrors"), (["", "Elements"], "Problem")],
)
def test_xeros_words_are_found_twenty_levels_deep_and_no_deeper(keys: list[str], key: str) -> None:
    """However deep the rest of an answer is, it is a refusal, and says the general reason."""
    for levels, found in ((19, True), (20, False), (40, False), (5_000, False)):
        answer = within(levels, within(1, "This 123456.", key), *keys)
        assert Refused(400, answer).messages == (["This 123456."] if found else [])
        assert has_reasons(answer) is found
        assert "123456" not in str(without_numbers(answer))
        assert ("This ***." in str(without_numbers(answer))) is found
    if keys != [""]:
        assert Refused(400, {"Message": "In general.", **answer}).messages == ["In general."]


def test_of_a_reason_that_is_no_text_the_next_best_is_told() -> None:
    for odd in (7, ["x"], {"a": "b"}, "", None, True):
        assert Refused(400, {"Message": odd, "Detail": "The id is wrong"}).messages == ["The id is wrong"]
        assert Refused(400, {"Message": odd}).messages == []
        assert not has_reasons({"Message": odd})


@pytest.mark.parametrize("answer", ["No.", ["No."], {"title": "No."}, {"Lines": [{"validationErrors": ["No."]}]}])
def test_an_answer_with_a_reason_is_told_from_one_without(answer: object) -> None:
    assert has_reasons(answer)
    assert not any(has_reasons(none) for none in (None, 5, [], {}, {"Status": "ERROR"}, [{}], {"Elements": [1]}))


def test_an_error_body_is_read_in_whatever_case_its_keys_come() -> None:
    assert [field({"DETAIL": "x"}, "Detail"), field({"detail": "x"}, "Detail")] == ["x", "x"]
    assert [field(nothing, "Detail") for nothing in (None, "Detail", ["Detail"], {}, {"Details": "x"})] == [None] * 5


def test_a_request_that_was_not_sent_may_be_sent_at_once() -> None:
    error = NotSent()
    assert (error.seconds, error.limit, error.outcome_unknown) == (0, "outage", False)
    assert "did not send it" in error.message
    assert "a later run sends it" in error.correction


def test_what_is_known_of_a_write_is_nothing_until_it_is_said() -> None:
    error = XeroError("It failed.", "Try again.")
    assert (error.outcome_unknown, error.server_failed, str(error)) == (False, False, "It failed. Try again.")
    assert (error.message, error.correction, error.args) == ("It failed.", "Try again.", ("It failed.", "Try again."))


def test_what_is_to_be_done_is_said_where_it_is_known() -> None:
    assert str(RetryLater(4, "outage", "Down.", "Wait.")) == "Down. Wait."
    assert str(RetryLater(4, "outage", "Down.")) == "Down. Nothing to do: the next run resumes where this one stopped."


def test_a_consent_that_failed_says_how_to_begin_again() -> None:
    assert str(ConsentFailed("It ended.")) == "It ended. Begin again with Connect to Xero."


@pytest.mark.parametrize(
    ("words", "hidden"),
    [("bearer abcdefgh", True), ("Bearer abcdefg", False), ("Basic  aWQ6c2Vj", True), ("eyJabcdefgh.x.y", True),
     ("eyJabcdefg", False)],
)  # fmt: skip
def test_what_looks_like_a_token_is_masked(words: str, hidden: bool) -> None:
    assert (cleaned(words) == "***") is hidden


def test_nothing_of_an_answer_is_lost_beside_what_is_odd_in_it() -> None:
    assert Refused(400, ["One.", {"Message": "Two."}, 7, None]).messages == ["One.", "Two."]
    assert Refused(400, {"Elements": ["odd", {"ValidationErrors": ["Three."]}]}).messages == ["Three."]
    assert Refused(400, {"Contact": {"ValidationErrors": [{"Message": "Four."}]}}).messages == ["Four."]
    assert str(Refused(400, "No.")).startswith("Xero refused the request (HTTP 400): No. ")
    assert str(Refused(404)).startswith("Xero refused the request (HTTP 404): it gave no reason. ")
