"""Xero's words are dug out once, and no secret gets into them."""

import pickle

import pytest

from xero.api.errors import (
    ConsentFailed,
    ReconnectNeeded,
    Refused,
    RetryLater,
    XeroError,
    cleaned,
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


def test_a_refusal_echoing_the_token_does_not_hold_it() -> None:
    assert JWT not in repr(Refused(400, {"Message": f"bad token {JWT}"}))
    assert "opaque-token" not in repr(Refused(400, {"Message": "bad token opaque-token"}, "opaque-token"))


@pytest.mark.parametrize(
    "error",
    [RetryLater(66975, "day"), RetryLater(4, "outage", "Down.", "Wait."), ReconnectNeeded("Broken.", "Connect.")],
)
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
        f"Xero's limit of calls per organisation and minute is reached; it opens {said}."
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


def test_what_is_known_of_a_write_is_nothing_until_it_is_said() -> None:
    error = XeroError("It failed.", "Try again.")
    assert (error.in_doubt, error.server_failed, str(error)) == (False, False, "It failed. Try again.")


def test_what_is_to_be_done_is_said_where_it_is_known() -> None:
    assert str(RetryLater(4, "outage", "Down.", "Wait.")) == "Down. Wait."
    assert str(RetryLater(4, "outage", "Down.")) == "Down. Nothing to do: a later run goes on where this one stopped."


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
