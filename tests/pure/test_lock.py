"""The audit of the lock: what it must notice, and that this checkout's lock is sound."""

import json
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import audit
import pytest

HASH = "--hash=sha256:" + "0" * 64
SOUND = f"requests==2.34.2 \\\n    {HASH} \\\n    {HASH}\n    # via -r requirements.in\nrich==15.0.0 {HASH}\n"


def test_a_sound_lock() -> None:
    lock, wrong = audit.lock_of({"requirements.txt": SOUND})
    assert ({name: (pin.version, pin.hashes) for name, pin in lock.items()}, wrong) == (
        {"requests": ("2.34.2", 2), "rich": ("15.0.0", 1)},
        [],
    )
    wanted = {"requirements.in": audit.asked("-c requirements.txt\nrequests>=2  # HTTP\n\nRICH[jupyter]<16\n")}
    assert list(audit.unsatisfied(wanted, lock)) == []
    assert list(audit.differing({"requests": "2.34.2", "rich": "15.0.0"}, lock)) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("requests==2.34.2\n", "requests==2.34.2 has no hash"),
        (f"requests>=2 {HASH}\n", "requests>=2 is no pin"),
        (f"requests {HASH}\n", "requests is no pin"),
        (f"requests==2.34.2 {HASH}\nrequests==2.0 {HASH}\n", "requests is pinned to 2.34.2 and to 2.0"),
    ],
)
def test_lines_that_are_no_lock(text: str, says: str) -> None:
    _, [wrong] = audit.lock_of({"requirements.txt": text})
    assert wrong == f"requirements.txt: {says}"


def test_what_is_asked_for_and_installed_otherwise() -> None:
    lock, _ = audit.lock_of({"requirements.txt": SOUND + f'colorama==0.4.6 ; sys_platform == "win32" {HASH}\n'})
    wanted = {"requirements.in": audit.asked("requests<2\nmsgspec\nwinshell; sys_platform == 'win32'\n")}
    assert list(audit.unsatisfied(wanted, lock)) == [
        "requirements.in asks for requests<2, the lock has 2.34.2",
        "requirements.in asks for msgspec, which is not in the lock",
    ]
    assert list(audit.differing({"requests": "2.0", "stranger": "1"}, lock)) == [
        "requests 2.0 is installed, the lock has 2.34.2",
        "stranger 1 is installed and not in the lock",
        "rich is in the lock and not installed",
    ]


def test_a_hash_that_is_not_the_index_s(monkeypatch: pytest.MonkeyPatch) -> None:
    locked = audit.hashes_of([SOUND, f"Rich==15.0.0 {HASH[:-1]}1\n"])
    assert {name: len(hashes) for name, hashes in locked.items()} == {"requests==2.34.2": 1, "rich==15.0.0": 2}
    index = audit.hashes_of([f"requests==2.34.2 {HASH} {HASH[:-1]}2\nrich==15.0.0 {HASH}\n"])
    assert audit.altered(locked, index) == (["rich==15.0.0: 1 of its 2 hashes are not the index's"], [])
    del index["requests==2.34.2"], index["rich==15.0.0"]
    assert audit.altered(locked, index) == ([], ["requests==2.34.2", "rich==15.0.0"])
    monkeypatch.setattr(audit, "INDEX_PATIENCE", 0.001)
    said: list[str] = []
    monkeypatch.setattr(audit, "say", said.append)
    assert audit.check_hashes() == []
    assert "NOT CHECKED" in said[0]


def test_accepted_vulnerabilities_have_an_end() -> None:
    text = "# none\nCVE-1  until 2026-12-31  only on Windows\nCVE-2 until 2026-01-31 no release yet\nCVE-3 later\n"
    found, wrong = audit.accepted(text, date(2026, 6, 1))
    assert found == {"CVE-1": "only on Windows"}
    assert [line.partition(": ")[2] for line in wrong] == [
        "CVE-2 was accepted until 2026-01-31: look again",
        "not `ID  until YYYY-MM-DD  reason`: CVE-3 later",
    ]


def test_packages_of_which_nothing_is_known_are_not_taken_for_sound(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock, _ = audit.lock_of({"requirements.txt": SOUND})
    skipped = json.dumps({"dependencies": [{"name": "requests", "skip_reason": "not found"}]})
    weak = json.dumps({"dependencies": [{"name": "requests", "version": "2.34.2", "vulns": [{"id": "CVE-1"}]}]})
    for answer, problems, says in (
        (None, [], "NOT CHECKED"),
        (skipped, [], "NOT CHECKED"),
        (weak, ["requests 2.34.2: CVE-1"], "1 packages have some that are known"),
    ):
        monkeypatch.setattr(audit, "run_pip_audit", lambda *arguments, answer=answer: answer)
        assert audit.check_weaknesses(lock, [], tmp_path) == problems
        assert says in capsys.readouterr().out


def test_what_asks_for_weaknesses_trusts_the_authorities_of_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trusted: list[str] = []

    def run(command: list[str], *, env: dict[str, str], **how: Any) -> "subprocess.CompletedProcess[str]":
        trusted.append(env["REQUESTS_CA_BUNDLE"])
        return subprocess.CompletedProcess(command, 0, '{"dependencies": []}', "")

    store = tmp_path / "store.pem"
    store.touch()
    monkeypatch.setattr(audit.subprocess, "run", run)
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    assert audit.run_pip_audit([], [], 1) == '{"dependencies": []}'
    for name in ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):  # requests obeys the latter first
        monkeypatch.setenv(name, name)
        audit.run_pip_audit([], [], 1)
    assert trusted == [str(store), "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"]


def test_an_index_without_what_is_pinned_is_no_index_that_did_not_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = {1: "No solution found: there is no\n version of tiny==1", 2: "certificate: UnknownIssuer"}

    def run(command: list[str], **how: Any) -> "subprocess.CompletedProcess[str]":
        return subprocess.CompletedProcess(command, code, "", ends[code])

    monkeypatch.setattr(audit.subprocess, "run", run)
    code = 1
    [wrong] = audit.check_hashes()
    assert "there is no version of tiny==1" in wrong
    code = 2
    assert audit.check_hashes() == []
    assert "NOT CHECKED, the package index could not be asked: certificate: UnknownIssuer" in capsys.readouterr().out


def test_the_lock_of_this_checkout() -> None:
    assert audit.check_lock() == []
