"""The services of docker-compose.yaml as plain processes: the same commands and environment, without containers.

What differs is in `translation.py`. PostgreSQL is the embedded one, Redis the machine's own.
"""

import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from demo import compose, processes
from demo.compose import Service
from demo.place import DEPLOY, LOCAL_SETTINGS, ROOT, DemoError, Place
from demo.postgres import Server
from demo.translation import POSTGRES, PROJECT, Translation

WORKER = "airflow-worker"
PATIENCE = 300.0  # seconds for a service to become healthy: on a busy machine Airflow takes its time
GRACE = 60.0  # seconds that a service has to end by itself


@dataclass(frozen=True)
class Started:
    """What was started for a service, for those who compare it with the file."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]


class Cluster:
    """A cluster in a place. `settings`: extra environment of Airflow's services, over the file's.

    `local_settings`: Python that is appended to Airflow's `airflow_local_settings.py`, such as a `task_policy`.
    `workers`: `airflow-worker-1` … are the containers that `--scale` would make.
    """

    def __init__(
        self, place: Place, workers: int = 2, settings: dict[str, str] | None = None, local_settings: str = ""
    ) -> None:
        self.place = place
        self.workers = workers
        self.settings = settings or {}
        self.local_settings = local_settings
        self.translation = Translation(place)
        self.started: dict[str, Started] = {}

    @cached_property
    def file(self) -> dict[str, Service]:
        """What the file says, `airflow-worker` once for each worker."""
        self._prepare()
        told = compose.services(self.translation.variables, self.place.home / "empty.env", self.place.inherited)
        worker = told.pop(WORKER)
        several = {f"{WORKER}-{number + 1}": worker for number in range(self.workers)}
        return {name: replace(service, name=name) for name, service in (told | several).items()}

    @property
    def services(self) -> tuple[str, ...]:
        """In the order in which they start."""
        return tuple(name for wave in compose.in_order(self.file, self.file) for name in wave)

    def start(self, *names: str) -> None:
        """Starts these services, or all, each after those that it needs, and waits for the file's health checks.

        What runs already is left alone, but that `settings` and `airflow-init` run again when they are asked for.
        DemoError says which service did not come up, with the end of its log."""
        for wave in compose.in_order(self.file, names or self.file):
            for name in wave:
                self._start(self.file[name])
            # At once: some checks start Airflow's command line, and take seconds.
            with ThreadPoolExecutor() as together:
                list(together.map(self._wait, wave))

    def stop(self, *names: str) -> None:
        """SIGTERM, as `docker stop`: the program is asked, and tells its own. The last started is the first to stop."""
        for wave in reversed(compose.in_order(self.file, names or self.file)):
            with ThreadPoolExecutor() as together:
                list(together.map(self._stop, wave))

    def kill(self, *names: str) -> None:
        """SIGKILL to all processes of each service, as `docker kill`; PostgreSQL has to recover afterwards."""
        for name in names or reversed(self.services):
            if server := self.database(name):
                server.stop("immediate")
            else:
                processes.kill(self.place, name)

    def ends(self, name: str) -> bool:
        """Whether others wait for its end."""
        return any(service.needs.get(name) == "service_completed_successfully" for service in self.file.values())

    def running(self, name: str) -> bool:
        if server := self.database(name):
            return processes.listening(server.port)
        return processes.running(self.place, name)

    def healthy(self, name: str) -> bool:
        """Whether the file's health check is green now. One without a check is, while it runs."""
        service = self.file[name]
        if not service.healthcheck:
            return self.running(name)
        try:
            checked = subprocess.run(
                self.translation.command(service.healthcheck),
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return checked.returncode == 0

    def log(self, name: str) -> Path:
        if server := self.database(name):
            return server.folder / "log"
        return self.place.log(name)

    def environment(self, name: str) -> dict[str, str]:
        """All of it: what is inherited here, what the file says, what this place adds, and the settings."""
        inherited = self.place.inherited
        if server := self.database(name):
            inherited["PATH"] = f"{server.binaries}:{inherited['PATH']}"
        return inherited | self._own_environment(name)

    def command(self, name: str) -> list[str]:
        """The file's, as it runs here."""
        return self.translation.command(self.file[name].command)

    def database(self, name: str) -> Server | None:
        """The PostgreSQL of that name, if it is one."""
        service = self.file[name]
        if not service.image.startswith(POSTGRES):
            return None
        port = self.place.airflow_db_port if name == "airflow-db" else self.place.postgres_port
        program, *options = service.command
        assert program == "postgres", service.command
        return Server(self.place, self.place.home / name, port, tuple(options))

    def _start(self, service: Service) -> None:
        name = service.name
        command, environment = tuple(self.command(name)), self._own_environment(name)
        self.started[name] = Started(name, command, environment)
        if server := self.database(name):
            server.start()
            server.admit(service.environment, sorted((DEPLOY / name).glob("*.sql")))
        elif self.ends(name):
            self._run(name, command)
        else:
            processes.ensure_started(self.place, name, command, settings=environment, keep_log=True)

    def _run(self, name: str, command: Sequence[str]) -> None:
        """To its end, which has to be a good one."""
        with self.log(name).open("ab") as log:
            ended = subprocess.run(
                command,
                cwd=ROOT,
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # it asks for nothing at this terminal
                check=False,
            )
        if ended.returncode:
            raise DemoError(f"{name} ended with {ended.returncode}. {self._last_words(name)}")

    def _wait(self, name: str) -> None:
        if self.ends(name):
            return
        deadline = time.monotonic() + PATIENCE
        while not self.healthy(name):
            if not self.running(name):
                raise DemoError(f"{name} ended at once. {self._last_words(name)}")
            if time.monotonic() > deadline:
                raise DemoError(f"{name} is not healthy after {PATIENCE:.0f} s. {self._last_words(name)}")
            time.sleep(2.0)

    def _stop(self, name: str) -> None:
        if server := self.database(name):
            server.stop()
        else:
            processes.stop(self.place, name, GRACE, only_leader=True)

    def _own_environment(self, name: str) -> dict[str, str]:
        service = self.file[name]
        told = {key: self.translation.text(value) for key, value in service.environment.items()}
        if service.image.startswith(PROJECT):
            told |= self.translation.added(name) | self.settings
        return told

    def _prepare(self) -> None:
        """The folders, and what the Dockerfile copies into the image."""
        self.place.prepare()
        (self.place.home / "redis").mkdir(exist_ok=True)
        (self.place.home / "empty.env").touch()
        target = self.translation.airflow_home / "config" / LOCAL_SETTINGS.name
        target.write_text(LOCAL_SETTINGS.read_text() + self.local_settings)

    def _last_words(self, name: str) -> str:
        log = self.log(name)
        last = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
        return "\n".join([f"Its log: {log}", *last])
