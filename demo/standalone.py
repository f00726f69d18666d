"""`airflow standalone`, whose parts are started again when they end: `python -m demo.standalone`.

Without its database for a while the scheduler ends, and so do others. Airflow's own command continues without them, and
looks as if it ran.
"""

import threading

from airflow.cli.commands import standalone_command
from airflow.cli.commands.standalone_command import StandaloneCommand, SubCommand

PAUSE = 5.0  # seconds before a part is started again


class Lasting(SubCommand):  # type: ignore[misc]
    """A part of Airflow. That it ended, and is started again, is said among its own lines."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.is_set():
            # It reads until nobody holds the output any more, which those that a dead scheduler leaves behind may do.
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
                    says = f"{self.name} ended with {ended}: it is started again in {PAUSE:g} s"
                    self.parent.output_queue.append((self.name, says.encode()))
            self._stopped.wait(PAUSE)

    def stop(self) -> None:
        self._stopped.set()
        super().stop()


if __name__ == "__main__":
    standalone_command.SubCommand = Lasting
    StandaloneCommand().run()
