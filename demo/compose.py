"""What docker-compose.yaml says, as docker-compose itself reads it: variables filled in, anchors resolved."""

import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from demo.place import FOREIGN, ROOT, DemoError

FILE = ROOT / "docker-compose.yaml"


@dataclass(frozen=True)
class Service:
    """One service of the file. `needs`: name → what of it is waited for, as `depends_on` says."""

    name: str
    image: str
    command: tuple[str, ...]
    environment: dict[str, str]
    needs: dict[str, str]
    healthcheck: tuple[str, ...]


def services(variables: Mapping[str, str], env_file: Path, environ: Mapping[str, str]) -> dict[str, Service]:
    """Every service, those of profiles too. `variables` fill the file in, and nothing of the caller's .env does."""
    said = subprocess.run(
        [*docker_compose(), "--file", str(FILE), "--env-file", str(env_file), "--profile", "sandbox", "config"],
        env={name: value for name, value in environ.items() if not name.startswith(FOREIGN)} | dict(variables),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if said.returncode:
        raise DemoError(f"docker-compose does not accept {FILE.name}: {said.stderr.strip()}")
    return {name: _service(name, told) for name, told in yaml.safe_load(said.stdout)["services"].items()}


def docker_compose() -> list[str]:
    """The command: Debian's, or the one that comes with Docker."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if shutil.which("docker"):
        return ["docker", "compose"]
    raise DemoError("There is no docker-compose to read docker-compose.yaml with: `make cluster-tools` installs it.")


def in_order(known: Mapping[str, Service], names: Iterable[str]) -> list[list[str]]:
    """The services in waves: each after those that it needs, as far as they are asked for."""
    left, waves = set(names), []
    while left:
        wave = sorted(name for name in left if not left & set(known[name].needs))
        assert wave, f"{left} need each other"
        waves.append(wave)
        left -= set(wave)
    return waves


def _service(name: str, told: Mapping[str, Any]) -> Service:
    environment = {key: _text(value) for key, value in (told.get("environment") or {}).items()}
    return Service(
        name,
        told["image"],
        _words(told["command"]),
        environment,
        {needed: how["condition"] for needed, how in (told.get("depends_on") or {}).items()},
        _check(told.get("healthcheck", {}).get("test", ())),
    )


def _check(told: str | list[str]) -> tuple[str, ...]:
    """As a container runs it: a text by the shell."""
    if isinstance(told, str):
        return ("sh", "-c", _text(told))
    kind, *words = told or ["NONE"]
    if kind == "CMD-SHELL":
        return ("sh", "-c", _text(words[0]))
    return tuple(map(_text, words))


def _words(told: str | list[str]) -> tuple[str, ...]:
    return tuple(map(_text, shlex.split(told) if isinstance(told, str) else told))


def _text(told: Any) -> str:
    """`config` writes a dollar as two, so that its answer can be read again."""
    return "" if told is None else str(told).replace("$$", "$")
