"""The project as a wheel, installed away from its checkout."""

import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.world import World

Run = Callable[..., str]


@pytest.fixture(scope="module")
def installed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the installed wheel, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=root, check=True, capture_output=True, timeout=60)
    (wheel,) = folder.glob("*.whl")
    uv = str(Path(sys.executable).parent / "uv")
    install = [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--target", str(folder / "site"), str(wheel)]
    subprocess.run([*install, "--python", sys.executable], check=True, capture_output=True, timeout=60)
    return folder / "site"


def test_the_sql_travels(installed: Path, root: Path) -> None:
    def names(folder: Path) -> set[str]:
        return {str(file.relative_to(folder)) for file in folder.rglob("*.sql")}

    assert names(root / "include" / "sql")
    assert names(installed / "xero" / "_sql") == names(root / "include" / "sql")


def test_the_installed_package_reads_its_own_sql(installed: Path, python: Run, tmp_path: Path) -> None:
    code = "import xero; from xero.qicworks import sql; print(xero.__file__); print(sql.folder())"
    module, folder = python(code, path=installed, folder=tmp_path).splitlines()
    assert Path(module) == installed / "xero" / "__init__.py"
    assert Path(folder) == installed / "xero" / "_sql"


def test_the_installed_package_pulls(installed: Path, world: World, tmp_path: Path) -> None:
    """Away from the checkout: migrations, statements and declarations all travelled."""
    empty = world.database_url.rpartition("/")[0] + f"/wheel_{uuid.uuid4().hex[:8]}"
    world.query_server(f'CREATE DATABASE "{empty.rpartition("/")[2]}"')
    environment = {**world.environment(), "PYTHONPATH": str(installed), "AIRFLOW_CONN_QICWORKS_DEFAULT": empty}

    def xero(*arguments: str) -> str:
        command = [sys.executable, "-m", "xero", *arguments]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    try:
        assert "applied" in xero("migrate")
        xero("connect", "--all")
        said = xero("pull", "all", "--connection", world.names()[0])
        assert f"{len(world.sandbox.truth('Contacts'))} inserted" in said
    finally:
        world.query_server(f'DROP DATABASE "{empty.rpartition("/")[2]}" WITH (FORCE)')


def test_the_sandbox_and_the_demo_stay_behind(installed: Path) -> None:
    assert {path.name for path in installed.iterdir() if path.is_dir() and "dist-info" not in path.name} == {"xero"}
