"""A form is accepted only with a token that our page gave to this user, at most half a day ago."""

import time

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from tests.support.pages import Browser, Client
from tests.support.pushing import Books

HALF_A_DAY = 12 * 3600


def signed(user: str, *, age: float = 0.0, key: str | None = None, salt: str = "xero.pages") -> str:
    """The token of a form that was loaded `age` seconds ago."""
    from airflow.configuration import conf

    class Earlier(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(time.time() - age)

    key = key or conf.get_mandatory_value("api", "secret_key")
    return str(URLSafeTimedSerializer(key, salt=salt, signer=Earlier).dumps(user))


def switch(admin: Browser, books: Books, form_token: str) -> int:
    """The status after pressing the button that switches an organisation on; it is on already."""
    answer = admin.press(f"connections/{books.connection_id}/switch", {"on": "yes"}, form_token=form_token)
    if answer.status_code == 403:
        assert "has expired" in answer.text
    return int(answer.status_code)


@pytest.mark.parametrize(("age", "accepted"), [(0, True), (HALF_A_DAY - 600, True), (HALF_A_DAY + 60, False)])
def test_a_form_token_expires_after_half_a_day(browser: Client, books: Books, age: int, accepted: bool) -> None:
    assert switch(browser("admin"), books, signed("admin", age=age)) == (303 if accepted else 403)


def test_a_forged_form_token_is_refused(browser: Client, books: Books) -> None:
    """Signed with another key or for another purpose, without its signature, or with another user in it."""
    admin, good = browser("admin"), signed("admin")
    words, moment, signature = good.split(".")
    other, *_ = signed("viewer").split(".")
    for forged in (
        signed("admin", key="another key"),
        signed("admin", salt="xero.pages.said"),
        f"{words}.{moment}.",
        f"{words}.{moment}",
        words,
        f"{other}.{moment}.{signature}",
        f"{words}.{moment}.{signature[:-4]}AAAA",
    ):
        assert switch(admin, books, forged) == 403, forged
    assert switch(admin, books, good) == 303
