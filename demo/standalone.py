"""Runs `airflow standalone` and restarts its components when they end: `python -m demo.standalone`.

The scheduler and other components end if the database is away for a while. Airflow's own command continues without
them, and looks as if it were running.
"""

import threading

from airflow.cli.commands import standalone_command
from airflow.cli.commands.standalone_command import StandaloneCommand, SubCommand

PAUSE = 5.0  # seconds before a component is restarted


class Lasting(SubCommand):  # type: ignore[misc]
    """A component of Airflow that is restarted when it ends, with a line in its output."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.is_set():
            # Reading may outlast the process: orphans of a dead scheduler keep its output open.
            before, reading = self.process, threading.Thread(target=super().run, daemon=True)
            reading.start()
            while self.process is before:
                self._stopped.wait(0.05)
                if not reading.is_alive() and self.process is before:
                    break
            if self.process is not before and self.process is not None:
                if self._stopped.is_set():
                    self.process.terminate()
                ended = self.process.wait()
                if not self._stopped.is_set():
                    line = f"{self.name} ended with {ended}; restarting in {PAUSE:g} s"
                    self.parent.output_queue.append((self.name, line.encode()))
            self._stopped.wait(PAUSE)

    def stop(self) -> None:
        self._stopped.set()
        super().stop()


if __name__ == "__main__":
    standalone_command.SubCommand = Lasting
    StandaloneCommand().run()
