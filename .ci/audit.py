"""`make audit`: whether the lock is what was asked for and installed, and whether any of it is known to be weak.

(a) The lock, without a network: every line of requirements*.in is satisfied by a pin, every pin has hashes, what is
installed is pinned at that version, and what the pinned packages need is pinned, too.
(b) The hashes against those of the package index, where it can be reached; where it cannot, that is said.
(c) pip-audit over the lock, where its data can be had. Where they cannot, that is said, and (a) alone decides.

Vulnerabilities that are accepted stand in accepted-vulnerabilities.txt, beside this file, each with date and reason.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import Distribution, distributions
from pathlib import Path

import certificates
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.txt", "requirements-dev.txt")
ACCEPTED = Path(__file__).with_name("accepted-vulnerabilities.txt")
OURS = "qicworks-xero"
PROBE = "requests"  # if nothing is known of it, nothing is known of anything
UV_FOUND_NO_SOLUTION = 1  # its exit code; 2 where it came to no result, as without a network
INDEX_PATIENCE = 60  # seconds for the hashes of all; with a warm cache of uv it takes 5, on a busy machine 20
PATIENCE = 120  # seconds for all of pip-audit; where its data are at hand it takes 10 to 40


@dataclass(frozen=True)
class Pin:
    """A line of the lock that counts on this machine."""

    requirement: Requirement
    hashes: int

    @property
    def version(self) -> str:
        [one] = self.requirement.specifier
        return one.version


def logical_lines(text: str) -> Iterator[str]:
    """Without comments, continued lines in one."""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        bare = re.sub(r"(^|\s)#.*$", "", line).strip()
        if bare:
            yield bare


def asked(text: str) -> list[Requirement]:
    """The requirements of a .in file; its options, such as `-c requirements.txt`, are none."""
    return [Requirement(line) for line in logical_lines(text) if not line.startswith("-")]


def pins(text: str) -> Iterator[tuple[Requirement, int]]:
    """The lines of a compiled file, and how many hashes each has."""
    for line in logical_lines(text):
        bare, *hashes = line.split("--hash=sha256:")
        yield Requirement(bare.strip()), len(hashes)


def counts_here(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def lock_of(texts: Mapping[str, str]) -> tuple[dict[str, Pin], list[str]]:
    """The pins of all files, by name, and what is wrong with them: no version, no hash, or two versions."""
    lock: dict[str, Pin] = {}
    wrong = []
    for file, text in texts.items():
        for requirement, hashes in pins(text):
            name = canonicalize_name(requirement.name)
            if [one.operator for one in requirement.specifier] != ["=="]:
                wrong.append(f"{file}: {requirement} is no pin")
            elif not hashes:
                wrong.append(f"{file}: {requirement} has no hash")
            elif counts_here(requirement):
                pin = Pin(requirement, hashes)
                if name in lock and lock[name].version != pin.version:
                    wrong.append(f"{file}: {name} is pinned to {lock[name].version} and to {pin.version}")
                lock[name] = pin
    return lock, wrong


def hashes_of(texts: Iterable[str]) -> dict[str, set[str]]:
    """The hashes of compiled files, by `name==version`."""
    found: dict[str, set[str]] = {}
    for line in (line for text in texts for line in logical_lines(text)):
        bare, *hashes = line.split("--hash=sha256:")
        requirement = Requirement(bare.strip())
        named = f"{canonicalize_name(requirement.name)}{requirement.specifier}"
        found.setdefault(named, set()).update(one.strip() for one in hashes)
    return found


def altered(locked: Mapping[str, set[str]], index: Mapping[str, set[str]]) -> tuple[list[str], list[str]]:
    """What has a hash in the lock that the index does not know; and what the index was not asked about.

    That the index has more is no trouble: wheels are added to a release later.
    """
    wrong = [
        f"{name}: {len(hashes - index[name])} of its {len(hashes)} hashes are not the index's"
        for name, hashes in sorted(locked.items())
        if name in index and hashes - index[name]
    ]
    return wrong, sorted(locked.keys() - index.keys())


class Unreachable(Exception):
    """The package index could not be asked; the message says why."""


class Unsolvable(Exception):
    """The index was asked, and does not have what is pinned; the message names it."""


def compile_again(texts: Mapping[str, str], wanted: Mapping[str, str], patience: float) -> str:
    """Returns the same pins with the hashes that the index has now. Raises Unreachable or Unsolvable."""
    bare = [str(requirement) for text in texts.values() for requirement, _ in pins(text)]
    with tempfile.TemporaryDirectory() as folder:
        asked_for, constraints, answer = (Path(folder, name) for name in ("all.in", "pins.txt", "all.txt"))
        asked_for.write_text("".join(f"{one}\n" for text in wanted.values() for one in asked(text)))
        constraints.write_text("".join(f"{line}\n" for line in bare))
        command = [str(Path(sys.prefix, "bin", "uv")), "pip", "compile", "--quiet", "--universal", "--python-version"]
        command += ["3.11", "--generate-hashes", "--no-header", "--no-annotate", "--constraint", str(constraints)]
        command += [str(asked_for), "--output-file", str(answer)]
        trusting = os.environ | certificates.variables()
        try:
            done = subprocess.run(command, env=trusting, capture_output=True, text=True, timeout=patience, check=False)
        except subprocess.TimeoutExpired as error:
            raise Unreachable(f"no answer within {patience} s") from error
        said = " ".join(done.stderr.split())
        if done.returncode == UV_FOUND_NO_SOLUTION:
            raise Unsolvable(said)
        if done.returncode:
            raise Unreachable(said)
        return answer.read_text()


def check_hashes() -> list[str]:
    """What is locked with another hash than the index has. Says so where it could not be asked."""
    texts = {file: (ROOT / file).read_text() for file in LOCKS}
    wanted = {file: (ROOT / file).with_suffix(".in").read_text() for file in LOCKS}
    try:
        answer = compile_again(texts, wanted, INDEX_PATIENCE)
    except Unreachable as error:
        say(f"hashes: NOT CHECKED, the package index could not be asked: {error}")
        return []
    except Unsolvable as error:
        return [f"the package index does not have what is pinned: {error}"]
    locked = hashes_of(texts.values())
    wrong, unasked = altered(locked, hashes_of([answer]))
    say(f"hashes: {len(locked) - len(unasked)} packages compared with the index; {len(unasked)} not")
    if unasked:
        say(f"  NOT CHECKED: {', '.join(unasked)}")
    return wrong


def unsatisfied(wanted: Mapping[str, list[Requirement]], lock: Mapping[str, Pin]) -> Iterator[str]:
    """What is asked for, by whom, and not pinned so."""
    for who, requirements in wanted.items():
        for requirement in filter(counts_here, requirements):
            pin = lock.get(canonicalize_name(requirement.name))
            if pin is None:
                yield f"{who} asks for {requirement.name}, which is not in the lock"
            elif not requirement.specifier.contains(pin.version, prereleases=True):
                yield f"{who} asks for {requirement}, the lock has {pin.version}"


def differing(installed: Mapping[str, str], lock: Mapping[str, Pin]) -> Iterator[str]:
    """What is installed otherwise than the lock says."""
    for name, version in sorted(installed.items()):
        if name not in lock:
            yield f"{name} {version} is installed and not in the lock"
        elif lock[name].version != version:
            yield f"{name} {version} is installed, the lock has {lock[name].version}"
    for name in sorted(lock.keys() - installed.keys()):
        yield f"{name} is in the lock and not installed"


def needs(distribution: Distribution) -> list[Requirement]:
    return [Requirement(line) for line in distribution.requires or ()]


def check_lock() -> list[str]:
    """What is wrong with the lock, in words."""
    lock, wrong = lock_of({file: (ROOT / file).read_text() for file in LOCKS})
    here = {canonicalize_name(one.name): one for one in distributions() if canonicalize_name(one.name) != OURS}
    project = next((one for one in distributions() if canonicalize_name(one.name) == OURS), None)
    wanted = {file: asked((ROOT / file).read_text()) for file in (name.replace(".txt", ".in") for name in LOCKS)}
    wanted |= {"pyproject.toml": needs(project)} if project else {}
    wanted |= {name: needs(one) for name, one in here.items() if name in lock}
    wrong += unsatisfied(wanted, lock)
    wrong += differing({name: one.version for name, one in here.items()}, lock)
    say(f"lock: {len(lock)} packages for Python {default_environment()['python_version']}, {len(here)} installed")
    return wrong


def accepted(text: str, today: date) -> tuple[dict[str, str], list[str]]:
    """Accepted ids with their reasons; and the lines that are not `ID  until YYYY-MM-DD  reason`, or no longer hold."""
    found, wrong = {}, []
    for line in logical_lines(text):
        parts = re.fullmatch(r"(\S+)\s+until (\d{4}-\d\d-\d\d)\s+(\S.*)", line)
        if not parts:
            wrong.append(f"{ACCEPTED.name}: not `ID  until YYYY-MM-DD  reason`: {line}")
        elif date.fromisoformat(parts[2]) < today:
            wrong.append(f"{ACCEPTED.name}: {parts[1]} was accepted until {parts[2]}: look again")
        else:
            found[parts[1]] = parts[3]
    return found, wrong


def weak(answer: str) -> tuple[dict[str, list[str]], list[str]]:
    """pip-audit's JSON: package and version → ids; and the packages of which it knows nothing."""
    told = json.loads(answer)["dependencies"]
    found = {
        f"{one['name']} {one['version']}": [each["id"] for each in one["vulns"]] for one in told if one.get("vulns")
    }
    return found, [one["name"] for one in told if "skip_reason" in one]


def run_pip_audit(files: list[Path], ignored: list[str], patience: float) -> str | None:
    """Its JSON; None where it has not got so far, which it has said on stderr."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", "--progress-spinner", "off"]
    command += ["--format", "json", "--timeout", "5"]
    command += [part for file in files for part in ("--requirement", str(file))]
    command += [part for id in ignored for part in ("--ignore-vuln", id)]
    trusted = os.environ.get("CURL_CA_BUNDLE") or certificates.store()
    trusting = ({"REQUESTS_CA_BUNDLE": trusted} if trusted else {}) | os.environ
    try:
        done = subprocess.run(command, env=trusting, capture_output=True, text=True, timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.stdout.startswith("{") else None


def check_weaknesses(lock: Mapping[str, Pin], ignored: list[str], folder: Path) -> list[str]:
    """What is known against what is pinned. Says so where nobody could be asked."""
    probe = folder / "audit-probe.txt"
    probe.write_text("".join(f"{pin.requirement}\n" for name, pin in lock.items() if name == PROBE))
    answer = run_pip_audit([probe], [], 20)
    if answer is None or weak(answer)[1]:
        say("vulnerabilities: NOT CHECKED, their data cannot be reached from here; the lock alone decides")
        return []
    answer = run_pip_audit([ROOT / file for file in LOCKS], ignored, PATIENCE)
    if answer is None:
        say("vulnerabilities: NOT CHECKED, their data could not be had to the end; the lock alone decides")
        return []
    found, unknown = weak(answer)
    say(f"vulnerabilities: {len(found)} packages have some that are known; {len(unknown)} could not be looked up")
    if unknown:
        say(f"  not looked up: {', '.join(unknown)}")
    return [f"{package}: {', '.join(ids)}" for package, ids in found.items()]


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def main() -> int:
    wrong = check_lock()
    ignored, outdated = accepted(ACCEPTED.read_text(), date.today())  # noqa: DTZ011 - whoever looks again has a calendar
    lock, _ = lock_of({file: (ROOT / file).read_text() for file in LOCKS})
    wrong += check_hashes() + outdated + check_weaknesses(lock, list(ignored), Path(sys.prefix))
    for one in wrong:
        say(f"  {one}")
    say(f"audit: {len(wrong)} to be mended" if wrong else "audit: sound")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
