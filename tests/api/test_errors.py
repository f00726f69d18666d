"""Xero's words are dug out once, and no secret gets into them."""

import pickle

import pytest

from xero.api.errors import ReconnectNeeded, Refused, RetryLater, XeroError, cleaned

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
