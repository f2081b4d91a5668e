"""What the servers of the tests' own have in common: started and ended, killed and frozen, their data kept until ``close``."""

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import ClassVar

from services.process import free_port, guarded, kill_tree, signal_tree, wait_until


class OwnServer:
    """A server on a port of its own; it survives ``stop`` and ``kill`` with its data."""

    name: ClassVar[str]
    start_limit_s: ClassVar[float]
    end_signal: ClassVar[signal.Signals]
    """Ends it in order."""

    def __init__(self, user: str | None = None) -> None:
        """``user``: the account it takes, where it must not run under ours."""
        self._user = user
        self._home = Path(tempfile.mkdtemp(prefix=f"licence-hub-{self.name.lower()}-"))
        if user is not None:
            shutil.chown(self._home, user)
        self._log = self._home.with_suffix(".log")
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """What is run."""
        raise NotImplementedError

    def environment(self) -> dict[str, str] | None:
        """What it is run in; None: as we are."""
        return None

    def prepare(self) -> None:
        """What has to be there before each start."""

    def answers(self) -> bool:
        """Whether it takes connections."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, or start it again, and wait until it takes connections."""
        if self._server is not None:
            return
        self.prepare()
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                guarded(self.command(), self._user),
                env=self.environment(),
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._is_up, timeout_s=self.start_limit_s, what=f"{self.name} of the tests", log=self._log)

    def stop(self) -> None:
        """Shut it down in order; connected clients lose their connection."""
        if self._server is not None:
            self._server.send_signal(self.end_signal)
            self._server.wait(timeout=self.start_limit_s)
            self._server = None

    def kill(self) -> None:
        """SIGKILL it with all its children."""
        if self._server is not None:
            kill_tree(self._server)
            self._server = None

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing answers."""
        if self._server is not None:
            signal_tree(self._server, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        if self._server is not None:
            signal_tree(self._server, signal.SIGCONT)

    def restore(self) -> None:
        """Running and awake, whatever a test did to it."""
        self.resume()
        self.start()

    def close(self) -> None:
        """End it for good, with its data."""
        self.resume()
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)
        self._log.unlink(missing_ok=True)

    def _is_up(self) -> bool:
        if self._server is not None and self._server.poll() is not None:
            raise RuntimeError(f"{self.name} ended at once\n{self._log.read_text(errors='replace')[-2000:]}")
        return self.answers()
