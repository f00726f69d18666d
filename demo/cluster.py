"""Runs the services of docker-compose.yaml as plain processes: the same commands and environment, without containers.

The differences are in `translation.py`. PostgreSQL is the embedded one, Redis the one installed on the machine.
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
HEALTHY_WITHIN_SECONDS = 300.0  # Airflow starts slowly on a busy machine
STOP_WITHIN_SECONDS = 60.0  # before it is killed


@dataclass(frozen=True)
class Started:
    """What was started for a service, so that tests can compare it with the file."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]


class Cluster:
    """A cluster in a place.

    Args:
        workers: how many to run, named `airflow-worker-1` … as `--scale` would name them.
        settings: extra environment of Airflow's services; wins over the file's.
        local_settings: Python to append to Airflow's `airflow_local_settings.py`, such as a `task_policy`.
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
        """The services of the file, with one `airflow-worker` per worker."""
        self._prepare()
        services = compose.services(self.translation.variables, self.place.home / "empty.env", self.place.inherited)
        worker = services.pop(WORKER)
        several = {f"{WORKER}-{number + 1}": worker for number in range(self.workers)}
        return {name: replace(service, name=name) for name, service in (services | several).items()}

    @property
    def services(self) -> tuple[str, ...]:
        """Names of the services, in the order in which they start."""
        return tuple(name for wave in compose.in_order(self.file, self.file) for name in wave)

    def start(self, *names: str) -> None:
        """Starts these services, or all, each after the ones it needs, and waits for the file's health checks.

        Running services are left alone; `settings` and `airflow-init` run again if they are named.

        Raises:
            DemoError: a service did not start; has its name and the end of its log.
        """
        for wave in compose.in_order(self.file, names or self.file):
            for name in wave:
                self._start(self.file[name])
            # In parallel: some checks start Airflow's command line, which takes seconds.
            with ThreadPoolExecutor() as together:
                list(together.map(self._wait, wave))

    def stop(self, *names: str) -> None:
        """Sends SIGTERM to the main process of each service, as `docker stop` does, in reverse order of starting."""
        for wave in reversed(compose.in_order(self.file, names or self.file)):
            with ThreadPoolExecutor() as together:
                list(together.map(self._stop, wave))

    def kill(self, *names: str) -> None:
        """Sends SIGKILL to all processes of each service, as `docker kill` does. PostgreSQL then has to recover."""
        for name in names or reversed(self.services):
            if server := self.database(name):
                server.stop("immediate")
            else:
                processes.kill(self.place, name)

    def ends(self, name: str) -> bool:
        """True for a one-off service: others start when it has completed."""
        return any(service.needs.get(name) == "service_completed_successfully" for service in self.file.values())

    def running(self, name: str) -> bool:
        if server := self.database(name):
            return processes.listening(server.port)
        return processes.running(self.place, name)

    def healthy(self, name: str) -> bool:
        """True if the file's health check succeeds now. A service without a check is healthy while it runs."""
        service = self.file[name]
        if not service.healthcheck:
            return self.running(name)
        try:
            checked = subprocess.run(
                self.translation.command(service.healthcheck),
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=HEALTHY_WITHIN_SECONDS,
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
        """The full environment: inherited, from the file, added by this place, and `settings`."""
        inherited = self.place.inherited
        if server := self.database(name):
            inherited["PATH"] = f"{server.binaries}:{inherited['PATH']}"
        return inherited | self._own_environment(name)

    def command(self, name: str) -> list[str]:
        """The command of the file, translated to this machine."""
        return self.translation.command(self.file[name].command)

    def database(self, name: str) -> Server | None:
        """The PostgreSQL server of that name; None if the service is another program."""
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
        """Runs a one-off service to its end. Raises DemoError if it fails."""
        with self.log(name).open("ab") as log:
            ended = subprocess.run(
                command,
                cwd=ROOT,
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # no prompts at this terminal
                check=False,
            )
        if ended.returncode:
            raise DemoError(f"{name} ended with {ended.returncode}. {self._last_words(name)}")

    def _wait(self, name: str) -> None:
        if self.ends(name):
            return
        deadline = time.monotonic() + HEALTHY_WITHIN_SECONDS
        while not self.healthy(name):
            if not self.running(name):
                raise DemoError(f"{name} ended at once. {self._last_words(name)}")
            if time.monotonic() > deadline:
                raise DemoError(f"{name} is not healthy after {HEALTHY_WITHIN_SECONDS:.0f} s. {self._last_words(name)}")
            time.sleep(2.0)

    def _stop(self, name: str) -> None:
        if server := self.database(name):
            server.stop()
        else:
            processes.stop(self.place, name, STOP_WITHIN_SECONDS, only_leader=True)

    def _own_environment(self, name: str) -> dict[str, str]:
        service = self.file[name]
        environment = {key: self.translation.text(value) for key, value in service.environment.items()}
        if service.image.startswith(PROJECT):
            environment |= self.translation.added(name) | self.settings
        return environment

    def _prepare(self) -> None:
        """Creates the folders, and copies what the Dockerfile copies into the image."""
        self.place.prepare()
        (self.place.home / "redis").mkdir(exist_ok=True)
        (self.place.home / "empty.env").touch()
        target = self.translation.airflow_home / "config" / LOCAL_SETTINGS.name
        target.write_text(LOCAL_SETTINGS.read_text() + self.local_settings)

    def _last_words(self, name: str) -> str:
        log = self.log(name)
        last = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
        return "\n".join([f"Its log: {log}", *last])
