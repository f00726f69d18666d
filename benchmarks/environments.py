"""Virtual environments for the measured programs, created once below `.venv/bench`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".venv" / "bench"
PEERS = ROOT / "benchmarks" / "peers"


def make(folder: Path) -> Path:
    """Creates an environment for each `requirements*.txt` of a folder; returns the folder of the environments."""
    for file in sorted(folder.glob("requirements*.txt")):
        part = file.stem.removeprefix("requirements")
        _make(FOLDER / f"{folder.name}{part}", file)
    return FOLDER


def python(name: str) -> Path:
    """The Python of that environment; for a peer with several, the first one."""
    found = sorted(FOLDER.glob(f"{name}*/bin/python"))
    if not found:
        raise FileNotFoundError(f"no environment of {name} below {FOLDER}; create it first")
    return found[0]


def _make(environment: Path, requirements: Path) -> None:
    installed = environment / requirements.name
    if installed.exists() and installed.read_text() == requirements.read_text():
        return
    shutil.rmtree(environment, ignore_errors=True)
    print(f"installing {requirements.relative_to(ROOT)}", flush=True)
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", environment / "bin" / "python"]
    subprocess.run([*install, "-r", requirements], check=True)
    installed.write_text(requirements.read_text())
