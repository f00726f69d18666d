"""Seals, and the addresses that the bearer token goes to."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from xero.api.settings import XeroApp
from xero.qicworks.connect.seals import Seals

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
AT = datetime(2026, 11, 1, tzinfo=UTC)
FACTS = {"path": "/Invoices", "documents": ["a", "b"], "body": None}


def seals(*keys: str) -> Seals:
    return Seals(XeroApp("client", "secret", token_keys=keys))


def test_a_seal_says_when_it_was_made() -> None:
    assert seals(NEW).made_at(seals(NEW).seal(FACTS, AT), FACTS) == AT


def test_a_seal_under_an_earlier_key_holds_as_long_as_the_key_is_there() -> None:
    seal = seals(OLD).seal(FACTS, AT)
    assert seals(NEW, OLD).made_at(seal, FACTS) == AT
    assert seals(NEW).made_at(seal, FACTS) is None


def test_the_order_of_keys_is_nothing() -> None:
    assert seals(NEW).made_at(seals(NEW).seal(FACTS, AT), dict(reversed(FACTS.items()))) == AT


@pytest.mark.parametrize("seal", [None, b"", b"nonsense", b"gAAAAABm"])
def test_what_is_no_seal_holds_nothing(seal: bytes | None) -> None:
    assert seals(NEW).made_at(seal, FACTS) is None


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))


@given(name=st.sampled_from(sorted(FACTS)), value=JSON)
def test_a_seal_is_of_these_facts_alone(name: str, value: Any) -> None:
    changed: dict[str, Any] = {**FACTS, name: value}
    assert (seals(NEW).made_at(seals(NEW).seal(FACTS, AT), changed) == AT) == (changed == FACTS)


APP = XeroApp("client", "secret", api_host="https://api.xero.test:8443/base")


def test_a_path_is_on_the_app_s_host() -> None:
    assert APP.url("/api.xro/2.0/Contacts") == "https://api.xero.test:8443/base/api.xro/2.0/Contacts"
    assert APP.url("/Contacts?page=1") == "https://api.xero.test:8443/base/Contacts?page=1"


@pytest.mark.parametrize(
    "path",
    ["@evil.test/x", "//evil.test/x", "https://evil.test/x", "", "x", ".evil.test/x", "\\\\evil.test", "/\\evil.test",
     ":443@evil.test/", "/a\r\nHost: evil.test", "/a b", "\t//evil.test"],
)  # fmt: skip
def test_what_would_lead_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not a path on"):
        APP.url(path)


@given(st.text(st.sampled_from("/\\@:.?#%[]ax \t\n\x00eé") | st.characters(), max_size=12))
def test_whatever_the_path_no_other_host_is_meant(path: str) -> None:
    try:
        url = APP.url(path)
    except ValueError:
        return
    assert urlsplit(url)[:2] == ("https", "api.xero.test:8443")
