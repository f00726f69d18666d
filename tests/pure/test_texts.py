"""What Xero put into a text can be written to a column and read on a page."""

import pytest

from xero.qicworks.texts import LONGEST, fit


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (None, None),
        ("", ""),
        ("two\nlines\tand a tab, ümlaut 😀", "two\nlines\tand a tab, ümlaut 😀"),
        ("DRA\x00FT", "DRA FT"),
        ("\x1b[31mred\x7f", " [31mred "),
        ("half \ud83d of one", "half   of one"),
    ],
)
def test_what_no_column_can_hold_is_left_out(words: str | None, told: str | None) -> None:
    assert fit(words) == told
    (fit(words) or "").encode()


def test_a_text_has_an_end() -> None:
    assert fit("x" * LONGEST) == "x" * LONGEST
    assert fit("x" * 3_000_000) == "x" * (LONGEST - 1) + "…"
    assert fit("xxxx", 3) == "xx…"
