"""`python -m xero differences`: what is listed, what is not, and the exit code that scripts rely on."""

import json
from datetime import datetime
from unittest import mock
from uuid import uuid4

import pytest

from tests.support.differing import EDITED, VOIDED, differ, put_off
from tests.support.pushing import Books
from tests.support.world import World
from xero.qicworks.follow.differences import Found, Reason

PAY = Found(Reason.PAY_DIFFERS, {"Gross": "1234.50"}, {"Gross": "1200.00"})


@pytest.fixture
def books(furnished_template: str, furnished: Books, world: World) -> Books:
    return furnished.copied(world)


def test_a_line_for_each_and_an_exit_code(books: Books) -> None:
    world, document = books.world, uuid4()
    nothing = world.main("differences")
    assert (nothing.returncode, nothing.stdout) == (0, "no differences\n")

    [edited, _] = differ(books, "invoices", document, "invoice\tIV-1", EDITED, VOIDED)
    put_off(books, edited.id, who="office\nforged")
    found = world.main("differences", "--open")
    assert found.returncode == 1
    assert found.stderr == "2 open, of which 1 acknowledged for now\n"
    head, first, second = (line.split("\t") for line in found.stdout.splitlines())
    assert head[:4] == ["organisation", "document", "difference", "in QicWorks | in Xero"]
    assert first[:3] == [world.names()[0], "invoice IV-1", "edited in Xero"]
    assert first[3] == "Date: 2026-10-05 | 2026-10-06; Reference: – | <b>PO</b> 7"
    assert first[5].startswith("open, acknowledged by office forged until ")
    assert (second[2], second[5]) == ("voided in Xero", "open")

    put_off(books, edited.id, days=-1)
    assert world.main("differences").stderr == "2 open\n"
    differ(books, "invoices", document, "invoice IV-1", EDITED)
    assert [line.split("\t")[2] for line in world.main("differences", "--open").stdout.splitlines()[1:]] == [
        "edited in Xero"
    ]
    put_off(books, edited.id)
    assert world.main("differences").returncode == 1, "acknowledged, and open"

    differ(books, "invoices", document, "invoice IV-1")
    [newer] = differ(books, "bills", uuid4(), "bill B-1", VOIDED)
    every = world.main("differences").stdout.splitlines()[1:]
    assert [line.split("\t")[1] for line in every] == ["invoice IV-1", "invoice IV-1", "bill B-1"], "newest last"
    assert "QicWorks and Xero agree" in every[0]
    differ(books, "bills", newer.document_id, "bill B-1")
    assert (world.main("differences").returncode, world.main("differences", "--open").stdout) == (0, "no differences\n")
    with mock.patch("xero.cli.differences.MAX_SETTLED", 2):
        some = world.main("differences")
    assert [line.split("\t")[1] for line in some.stdout.splitlines()[1:]] == ["invoice IV-1", "bill B-1"]
    assert some.stderr == "only the newest 2 settled differences are listed\n"


def test_one_organisation_by_its_name_on_or_off(books: Books) -> None:
    world = books.world
    differ(books, "invoices", uuid4(), "invoice IV-1", VOIDED)
    mine, other = world.names()[:2]
    assert world.main("differences", "--connection", mine.upper()).returncode == 1
    assert world.main("differences", "--connection", other).returncode == 0
    wrong = world.main("differences", "--connection", "Nobody Pty Ltd")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "no connection is called 'Nobody Pty Ltd'" in wrong.stderr
    world.query("UPDATE xero_sync.connection SET enabled = false")
    off = world.main("differences", "--connection", mine)
    assert (off.returncode, off.stderr) == (1, "1 open\n")
    world.query("UPDATE xero_sync.connection SET state = 'deleted'")
    assert (world.main("differences").returncode, world.main("differences").stdout) == (0, "no differences\n")


def test_json_has_the_columns_of_the_table_and_no_pay(books: Books) -> None:
    world, document = books.world, uuid4()
    assert json.loads(world.main("differences", "--json").stdout) == []
    differ(books, "invoices", document, "invoice\x1bIV-1\n", EDITED)
    pay = [uuid4(), uuid4()]
    differ(books, "payroll", pay[0], "pay of week 40", PAY)
    differ(books, "pay_codes", None, "pay codes", PAY)
    differ(books, "payslips", pay[1], "payslip", PAY)
    done = world.main("differences", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    columns = world.query("SELECT * FROM xero_sync.difference LIMIT 1")[0]
    assert all(set(one) == {*columns, "organisation"} for one in found)
    first = found[0]
    assert (first["document_id"], first["connection_id"]) == (str(document), str(books.connection_id))
    assert (first["label"], first["reason"]) == ("invoice IV-1", "edited_in_xero")
    assert first["theirs"] == {"Date": "2026-10-06", "Reference": "<b>PO</b> 7"}
    assert datetime.fromisoformat(first["since"]) == columns["since"]
    assert [one["ours"] for one in found[1:]] == [{"Gross": None}] * 3
    for shown in (done.stdout, world.main("differences").stdout):
        assert "Gross" in shown
        assert "1234.50" not in shown
        assert "1200.00" not in shown
