"""`make setup` and what else downloads, behind a mirror whose certificate authority is in the system's store alone."""

import datetime
import ensurepip
import hashlib
import ipaddress
import os
import re
import shutil
import ssl
import stat
import subprocess
import sys
import threading
import venv
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import certificates
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PATH = "/usr/local/bin:/usr/bin:/bin"
# The package to be installed, in the words of a build backend that has been waiting for this.
BUILD_BACKEND = """
import shutil

def build_editable(folder, settings=None, metadata=None):
    return shutil.copy("{wheel}", folder).rpartition("/")[2]
"""
# Of the real one, in the environment that runs the tests: that of the project in miniature has no packages for it.
AUDIT = """
import audit

print("audit:", audit.compile_again({"requirements.txt": "tiny==1"}, {"requirements.in": "tiny"}, 60.0))
"""


def wheel(index: Path, name: str, files: dict[str, str]) -> tuple[Path, str]:
    """Puts version 1 of a package into the index. Returns the file, and its line in a lock."""
    about = f"{name}-1.dist-info"
    contents = files | {
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": "".join(f"{file},,\n" for file in files),
    }
    file = index / name / f"{name}-1-py3-none-any.whl"
    file.parent.mkdir(parents=True)
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in contents.items():
            member = zipfile.ZipInfo(path)
            member.external_attr = (stat.S_IFREG | 0o755) << 16  # a program, to pip
            archive.writestr(member, text)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return file, f"{name}==1 \\\n    --hash=sha256:{digest}\n    # via a test\n"


@pytest.fixture
def project(tmp_path: Path, root: Path) -> Path:
    """The project in miniature: its own Makefile and commands; of packages only a `uv` and one that is tiny."""
    project = tmp_path / "project"
    shutil.copytree(root / ".ci", project / ".ci")
    shutil.copy(root / "Makefile", project)
    # The real uv: its package is 40 MB, so this one calls it.
    uv = {"uv-1.data/scripts/uv": f'#!/bin/sh\nexec {Path(sys.executable).with_name("uv")} "$@"\n'}
    file, tiny = wheel(tmp_path / "index", "tiny", {"tiny.py": ""})
    (project / "requirements.txt").write_text(tiny)
    (project / "requirements-dev.txt").write_text(wheel(tmp_path / "index", "uv", uv)[1])
    (project / "requirements.in").write_text("tiny\n")
    (project / "requirements-dev.in").write_text("uv\n")
    # `python -m venv` would take seconds for a pip that lies beside it, packed.
    for pip in (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"):
        venv.create(project / ".venv", with_pip=False)
        [packages] = project.glob(".venv/lib/*/site-packages")
        zipfile.ZipFile(pip).extractall(packages)
    (project / "backend.py").write_text(BUILD_BACKEND.format(wheel=file))
    (project / "pyproject.toml").write_text(
        '[project]\nname = "tiny"\nversion = "1"\n[build-system]\nrequires = []\n'
        'build-backend = "backend"\nbackend-path = ["."]\n'
    )
    return project


def signed(name: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """A certificate for 127.0.0.1, or of the authority itself where it is signed by its own key."""
    now = datetime.datetime.now(datetime.UTC)
    common = {name: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (name, "an authority")}
    local = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    return (
        x509.CertificateBuilder()
        .subject_name(common[name])
        .issuer_name(common["an authority"])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=key is by, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([local]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .sign(by, hashes.SHA256())
    )


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A certificate authority that nobody knows. Beside it lies `server.pem`, for 127.0.0.1."""
    theirs, ours = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    private = ours.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "server.pem").write_bytes(private + signed("a mirror", ours, theirs).public_bytes(Encoding.PEM))
    file = tmp_path / "authority.pem"
    file.write_bytes(signed("an authority", theirs, theirs).public_bytes(Encoding.PEM))
    return file


@pytest.fixture
def mirror(tmp_path: Path, authority: Path) -> Iterator[str]:
    """The package index, by HTTPS: its URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.with_name("server.pem"))
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "index"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}/"
        server.shutdown()


def believing(authority: Path) -> tuple[list[str], dict[str, str]]:
    """Returns the words before a command, and the variables, that add this authority to the system's store.

    For that command alone its own file lies over the system's. Where no namespace is to be had, as in most containers,
    OpenSSL's variable names the store instead. uv obeys that in any case, and then only pip's part is proved.
    """
    store = authority.with_name("store.pem")
    system = Path(ssl.get_default_verify_paths().openssl_cafile)
    store.write_text((system.read_text() if system.exists() else "") + authority.read_text())
    unshare = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-ec"]
    lay = f'mount --bind "{store}" "{system.resolve()}"'
    if shutil.which("unshare") and subprocess.run([*unshare, lay], capture_output=True, check=False).returncode == 0:
        return [*unshare, f'{lay}; exec "$@"', "-"], {}
    return [], {"SSL_CERT_FILE": str(store)}


def test_what_downloads_trusts_the_authorities_of_the_system(
    project: Path, mirror: str, authority: Path, tmp_path: Path
) -> None:
    before, store = believing(authority)
    environment = store | {
        "PATH": PATH,
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": mirror,
        "PIP_RETRIES": "0",
        "UV_NO_CONFIG": "1",
        "UV_DEFAULT_INDEX": mirror,
        "UV_HTTP_RETRIES": "0",
    }

    def run(*command: str, **more: str) -> str:
        done = subprocess.run(
            [*before, *command], cwd=project, env=environment | more, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("make", "setup", "lock", f"PYTHON={sys.executable}")
    assert list(project.glob(".venv/lib/*/site-packages/tiny.py"))
    assert "--hash" in (project / "requirements.txt").read_text()
    assert "tiny==1 --hash" in run(sys.executable, "-c", AUDIT, PYTHONPATH=".ci").replace(" \\\n   ", "")


@pytest.mark.parametrize("name", ["pyxero", "company_books"])
def test_a_second_package_of_our_import_name_is_said(project: Path, tmp_path: Path, name: str) -> None:
    """By make setup each time, whether anything is to be installed or not."""
    if not (project / ".venv").exists():  # Debian's Python has no pip that lies beside it
        venv.create(project / ".venv", with_pip=False)
    (project / ".venv" / "installed").touch()
    [packages] = project.glob(".venv/lib/*/site-packages")
    make = ["make", "-o", ".venv/installed", "setup"]
    environment = {"PATH": PATH, "HOME": str(tmp_path)}
    assert subprocess.run(make, cwd=project, env=environment, check=False).returncode == 0
    zipfile.ZipFile(wheel(tmp_path / "another", name, {"xero/__init__.py": ""})[0]).extractall(packages)
    done = subprocess.run(make, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"{name} has the import name xero, too, which is this project's: uninstall it" in done.stderr
    assert "Traceback" not in done.stderr


def test_each_command_that_downloads_is_run_so(root: Path) -> None:
    """But the audit, which is Python and adds the variables by itself."""
    makefile = (root / "Makefile").read_text()
    downloads = re.findall(r"^.*(?:\bpip (?:install|compile)\b|-m benchmarks\b(?!\.)).*$", makefile, re.MULTILINE)
    assert len(downloads) >= 6
    assert not [line for line in downloads if "$(TRUSTING) $(BIN)/" not in line]


def test_what_is_set_already_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install"]
    for name in ("UV_SYSTEM_CERTS", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    store, config = tmp_path / "store.pem", tmp_path / "pip.conf"
    store.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    assert certificates.variables(pip) == {"UV_SYSTEM_CERTS": "true", "PIP_CERT": str(store)}
    assert certificates.variables(["uv", "pip", "install"]) == {"UV_SYSTEM_CERTS": "true"}
    config.write_text("[install]\ncert = of one's own\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    assert certificates.variables(pip) == {"UV_SYSTEM_CERTS": "true"}
    for name in ("UV_SYSTEM_CERTS", "PIP_CERT"):
        monkeypatch.setenv(name, "of one's own")
    assert certificates.variables(pip) == {}


def test_a_system_without_a_store_is_left_to_the_tools_own_lists(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """uv does not start when it is to use a store that has nothing in it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert certificates.store() is None
    assert certificates.variables() == {}
    (tmp_path / "1a2b3c4d.0").touch()
    assert certificates.store() == str(tmp_path)
