"""Reads docker-compose.yaml through docker-compose itself: variables filled in, anchors resolved."""

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
    """One service of the file. `needs`: name of another service → condition to wait for, as in `depends_on`."""

    name: str
    image: str
    command: tuple[str, ...]
    environment: dict[str, str]
    needs: dict[str, str]
    healthcheck: tuple[str, ...]


def services(variables: Mapping[str, str], env_file: Path, environ: Mapping[str, str]) -> dict[str, Service]:
    """Returns every service, also those in profiles. Only `variables` fill in the file, not the caller's .env."""
    config = subprocess.run(
        [*docker_compose(), "--file", str(FILE), "--env-file", str(env_file), "--profile", "sandbox", "config"],
        env={name: value for name, value in environ.items() if not name.startswith(FOREIGN)} | dict(variables),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if config.returncode:
        raise DemoError(f"docker-compose does not accept {FILE.name}: {config.stderr.strip()}")
    return {name: _service(name, definition) for name, definition in yaml.safe_load(config.stdout)["services"].items()}


def docker_compose() -> list[str]:
    """The command to call: Debian's docker-compose, or Docker's compose plugin."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if shutil.which("docker"):
        return ["docker", "compose"]
    raise DemoError("docker-compose is needed to read docker-compose.yaml: run `make cluster-tools` to install it.")


def in_order(known: Mapping[str, Service], names: Iterable[str]) -> list[list[str]]:
    """Groups the named services in waves: each service comes after the named ones that it needs."""
    left, waves = set(names), []
    while left:
        wave = sorted(name for name in left if not left & set(known[name].needs))
        assert wave, f"{left} need each other"
        waves.append(wave)
        left -= set(wave)
    return waves


def _service(name: str, definition: Mapping[str, Any]) -> Service:
    environment = {key: _text(value) for key, value in (definition.get("environment") or {}).items()}
    return Service(
        name,
        definition["image"],
        _words(definition["command"]),
        environment,
        {needed: how["condition"] for needed, how in (definition.get("depends_on") or {}).items()},
        _check(definition.get("healthcheck", {}).get("test", ())),
    )


def _check(test: str | list[str]) -> tuple[str, ...]:
    """The command of a health check; a text runs in the shell, as in a container."""
    if isinstance(test, str):
        return ("sh", "-c", _text(test))
    kind, *words = test or ["NONE"]
    if kind == "CMD-SHELL":
        return ("sh", "-c", _text(words[0]))
    return tuple(map(_text, words))


def _words(value: str | list[str]) -> tuple[str, ...]:
    return tuple(map(_text, shlex.split(value) if isinstance(value, str) else value))


def _text(value: Any) -> str:
    """`docker-compose config` doubles each dollar sign: undo that."""
    return "" if value is None else str(value).replace("$$", "$")
