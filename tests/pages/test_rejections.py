"""Records that were not loaded: for those who may edit connections, with the reasons."""

import json
import re
from html import unescape
from unittest import mock

from tests.support.page_runs import words
from tests.support.pages import Client
from tests.support.pushing import Books


def test_rejected_rows(browser: Client, books: Books) -> None:
    op = browser("op")
    assert "No problem records" in op.read("rejections")
    browser("user").read("rejections", 403)
    [event] = books.world.query(
        "INSERT INTO xero_sync.connection_event (connection_id, direction, data_set, status, ended_at)"
        " VALUES (%s, 'pull', 'contacts', 'warning', now()) RETURNING id",
        books.connection_id,
    )
    for key in "c-1", "c-2", "c-3":
        books.world.query(
            "INSERT INTO xero_sync.rejection"
            " (connection_id, data_set, table_name, key, reasons, record, undecodable, event_id, held_back)"
            " VALUES (%s, 'contacts', 'contact', %s, %s, %s, %s, %s, %s)",
            *(books.connection_id, key, ["name: <i>missing</i>"], json.dumps({"name": None, "city": "Dubbo"})),
            *(json.dumps({"UpdatedDateUTC": "never"}), event["id"], key == "c-3"),
        )
    with mock.patch("xero.pages.rejections.LIMIT", 2):
        first = op.read(f"rejections?connection={books.connection_id}")
        [older] = re.findall(r'href="/xero/(rejections\?[^"]*before=[^"]*)"', first)
        second = op.read(unescape(older))
    assert re.findall(r"<code>([^<]*)<", first + second) == ["c-3", "c-2", "c-1"]
    assert "name: &lt;i&gt;missing&lt;/i&gt;" in first
    assert words(first).count("Too many records in that pull had problems") == 1
    assert '"city": "Dubbo"' in words(second)
    assert 'Values that could not be read: { "UpdatedDateUTC": "never" }' in words(second)
    assert f"synchronise?connection={books.connection_id}&amp;data_set=contacts" in first
    op.read("rejections?before=x", 422)
    op.read("rejections?connection=x", 404)
