"""Server processes that belong to the tests: started with ours, signalled with all their children, gone when we are."""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

# Below the range the kernel takes for outgoing connections: in there, a client that keeps trying a server which is down may get
# connected to itself, and the server finds its port taken.
_SERVER_PORTS = range(20000, 32000)


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listened on a moment ago."""
    while True:
        # Not from `random`: its seed is the same in every process of a test run.
        port = secrets.choice(_SERVER_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def is_listening(port: int, host: str = "127.0.0.1") -> bool:
    """True when something takes connections on that port."""
    try:
        socket.create_connection((host, port), timeout=3).close()
    except OSError:
        return False
    return True


def wait_until(reached: Callable[[], bool], *, timeout_s: float, what: str, log: Path | None = None) -> None:
    """Ask until ``reached``; on time-out ``TimeoutError`` with the end of the log."""
    end = time.monotonic() + timeout_s
    while not reached():
        if time.monotonic() > end:
            tail = log.read_text(errors="replace")[-2000:] if log and log.exists() else ""
            raise TimeoutError(f"{what}: not after {timeout_s:g} s\n{tail}")
        time.sleep(0.05)


def unprivileged_user() -> str | None:
    """The account a server takes that refuses to run as root; None when we are not root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def guarded(command: list[str], user: str | None = None) -> list[str]:
    """The command so that the kernel ends it when this process dies, and under ``user`` where one is given."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return (
            command if user is None else ["su", "-s", "/bin/sh", user, "-c", 'exec "$0" "$@"', "--", *command]
        )
    account = (
        [] if user is None else [f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"]
    )
    return [setpriv, *account, "--pdeathsig", "KILL", *command]


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found


def tree(pid: int) -> list[int]:
    """The process and everything below it, parents first."""
    return [pid, *(below for child in _children(pid) for below in tree(child))]


def signal_tree(process: Popen[bytes], number: signal.Signals) -> None:
    """Signal the process and everything below it."""
    for pid in tree(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def kill_tree(process: Popen[bytes]) -> None:
    """SIGKILL the process and everything below it, and wait until the kernel has taken them away."""
    doomed = tree(process.pid)
    signal_tree(process, signal.SIGKILL)
    process.wait()
    wait_until(
        lambda: not any(_alive(pid) for pid in doomed), timeout_s=20, what=f"end of process {process.pid}"
    )


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
