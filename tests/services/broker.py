"""RabbitMQ for tests: one that was found, and one of our own that may be stopped, killed, frozen and starved."""

import functools
import itertools
import os
import shutil
import signal
import subprocess
import uuid
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import urlsplit

import pika
import pika.exceptions
from pika.adapters.utils.connection_workflow import AMQPConnectorException

from services.own_server import OwnServer
from services.process import free_port, guarded, is_listening, kill_tree, wait_until

RESTARTS_IN_CI = 20
_VHOST_PREFIX = "licence-hub-test-"
_VHOSTS_AT_ONCE = 2
_OPEN_FILES = 20_000
"""Each quorum queue keeps handles of its own: with the usual limit of 1024 the fifteenth hub on a node waits for ever."""


class Broker(Protocol):
    """A RabbitMQ that tests may connect to and administer."""

    @property
    def url(self) -> str:
        """AMQP URL of its default virtual host."""

    def ctl(self, *arguments: str) -> str:
        """Run ``rabbitmqctl`` against it; raises ``CalledProcessError``."""


def answers(url: str) -> bool:
    """True when an AMQP connection can be opened."""
    address = urlsplit(url)
    if not is_listening(address.port or 5672, address.hostname or "127.0.0.1"):
        return False  # pika would log each refusal at length
    parameters = pika.URLParameters(url)
    parameters.socket_timeout = parameters.stack_timeout = parameters.blocked_connection_timeout = 3
    try:
        pika.BlockingConnection(parameters).close()
    except (pika.exceptions.AMQPError, AMQPConnectorException, OSError):
        return False
    return True


class FoundBroker:
    """A broker somebody else runs: never stopped, never starved."""

    def __init__(self, url: str, control: list[str]) -> None:
        self.url = url
        self._control = control

    def ctl(self, *arguments: str) -> str:
        """Run ``rabbitmqctl``."""
        done = subprocess.run(
            [*self._control, *arguments], check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout

    def is_usable(self) -> bool:
        """True when it takes connections and obeys ``rabbitmqctl``."""
        if not answers(self.url):
            return False
        try:
            return "true" in self.ctl("eval", "rabbit:is_running().")
        except (OSError, subprocess.SubprocessError):
            return False


class Vhosts:
    """Virtual hosts of the tests: made and taken away a few at a time, since one call of rabbitmqctl costs more than a vhost."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.prefix = f"{_VHOST_PREFIX}{os.getpid()}-{uuid.uuid4().hex[:6]}-"
        self._names = (f"{self.prefix}{number}" for number in itertools.count())
        self._ready: list[str] = []
        self._lent: list[str] = []
        self._done: list[str] = []
        self._swept = False

    def fresh(self) -> str:
        """URL of an empty virtual host."""
        self._sweep()
        if not self._ready:
            self._delete(self._done)
            self._done = []
            self._make([next(self._names) for _ in range(_VHOSTS_AT_ONCE)])
        self._lent.append(self._ready.pop(0))
        return f"{self._broker.url.rsplit('/', 1)[0]}/{self._lent[-1]}"

    def give_back(self, url: str) -> None:
        """Its queues hold file handles until it is deleted, which happens before new ones are made."""
        name = url.rsplit("/", 1)[1]
        self._lent.remove(name)
        self._done.append(name)

    def close(self) -> None:
        """Delete every virtual host made here."""
        self._delete(self._ready + self._lent + self._done)
        self._ready, self._lent, self._done = [], [], []

    def _make(self, names: list[str]) -> None:
        user = urlsplit(self._broker.url).username
        self._ready += names
        self._for_each(
            names,
            'rabbit_vhost:add(V, <<"tests">>), '
            f'rabbit_auth_backend_internal:set_permissions(<<"{user}">>, V, <<".*">>, <<".*">>, <<".*">>, <<"tests">>)',
        )

    def _delete(self, names: list[str]) -> None:
        if names:
            self._for_each(names, 'rabbit_vhost:delete(V, <<"tests">>)')

    def _for_each(self, names: list[str], body: str) -> None:
        listed = ", ".join(f'<<"{name}">>' for name in names)
        self._broker.ctl("eval", f"lists:foreach(fun(V) -> {body} end, [{listed}]).")

    def _sweep(self) -> None:
        """Take away what killed test runs left on a broker of this machine."""
        if self._swept:
            return
        self._swept = True
        existing = self._broker.ctl("-q", "list_vhosts", "name", "--no-table-headers").split()
        makers = {
            name: name.removeprefix(_VHOST_PREFIX).split("-")[0]
            for name in existing
            if name.startswith(_VHOST_PREFIX)
        }
        self._delete([name for name, pid in makers.items() if not Path(f"/proc/{pid}").exists()])


@functools.cache
def installed_scripts() -> Path | None:
    """Folder of RabbitMQ's own scripts (Debian's wrappers would insist on their user and place); None without them."""
    for pattern in (
        "lib/rabbitmq/lib/rabbitmq_server-*/sbin",
        "local/lib/rabbitmq_server-*/sbin",
        "lib/rabbitmq/bin",
    ):
        found = sorted(Path("/usr").glob(pattern))
        if found:
            return found[-1]
    server = shutil.which("rabbitmq-server")
    return Path(server).resolve().parent if server else None


class OwnBroker(OwnServer):
    """A RabbitMQ node of the tests: own ports, own data, own epmd.

    ``scripts`` is the folder of rabbitmq-server and rabbitmqctl. Restarts of all own brokers of a run are counted; with
    CI=true more than ``RESTARTS_IN_CI`` is an error.
    """

    name = "RabbitMQ"
    start_limit_s = 60.0
    end_signal = signal.SIGTERM
    restarts: ClassVar[int] = 0

    def __init__(self, scripts: Path) -> None:
        super().__init__()
        self._scripts = scripts
        self._environment = self._make_environment()
        self._epmd: subprocess.Popen[bytes] | None = None
        self._started_before = False
        self.vhosts = Vhosts(self)

    @property
    def url(self) -> str:
        """AMQP URL of its default virtual host."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"

    def answers(self) -> bool:
        return answers(self.url)

    def prepare(self) -> None:
        self._count_start()
        self._start_epmd()

    def command(self) -> list[str]:
        return [str(self._scripts / "rabbitmq-server")]

    def environment(self) -> dict[str, str]:
        return self._environment

    def settle(self) -> None:
        """Flush its metadata: RabbitMQ answers ``queue.declare`` before the queue's record is on disk, and a kill in the next
        two seconds may lose the queue with the confirmed messages in it."""
        self.ctl("eval", "mnesia:sync_log().")

    def set_memory_alarm(self) -> None:
        """Make it believe memory is short: it blocks every connection that publishes."""
        self.ctl("set_vm_memory_high_watermark", "0.0000001")

    def clear_memory_alarm(self) -> None:
        """Take the memory alarm back."""
        self.ctl("set_vm_memory_high_watermark", "0.6")

    def ctl(self, *arguments: str) -> str:
        """Run ``rabbitmqctl`` against it; raises ``CalledProcessError``."""
        return subprocess.run(
            [str(self._scripts / "rabbitmqctl"), *arguments],
            env=self._environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout

    def restore(self) -> None:
        """Running, awake and with memory enough, whatever a test did to it."""
        super().restore()
        if "memory" in self.ctl("eval", "rabbit_alarm:get_alarms()."):
            self.clear_memory_alarm()

    def close(self) -> None:
        """End it for good, with its data."""
        super().close()
        if self._epmd is not None:
            kill_tree(self._epmd)
            self._epmd = None

    def _count_start(self) -> None:
        if self._started_before:
            OwnBroker.restarts += 1
            if os.environ.get("CI") == "true" and OwnBroker.restarts > RESTARTS_IN_CI:
                raise RuntimeError(f"the tests restart a broker more than {RESTARTS_IN_CI} times")
        self._started_before = True

    def _start_epmd(self) -> None:
        """The Erlang port mapper, as a child of ours and first: one that Erlang starts would outlive us."""
        if self._epmd is not None:
            return
        epmd = next(iter(Path("/usr/lib/erlang").glob("erts-*/bin/epmd")), None) or shutil.which("epmd")
        if epmd is None:
            raise RuntimeError("rabbitmq-server is installed, epmd of Erlang is not")
        self._epmd = subprocess.Popen(
            guarded([str(epmd)]), env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        port = int(self._environment["ERL_EPMD_PORT"])
        wait_until(lambda: is_listening(port), timeout_s=10, what="epmd of the tests")

    def _make_environment(self) -> dict[str, str]:
        for name, content in (
            ("rabbitmq.conf", "disk_free_limit.absolute = 1MB\n"),
            ("env.conf", f"ulimit -S -n {_OPEN_FILES} 2>/dev/null || true\n"),
            ("plugins", "[]."),
        ):
            (self._home / name).write_text(content)
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("RABBITMQ_", "ERL_", "NOTIFY_"))
        }
        return inherited | {
            "HOME": str(self._home),
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(free_port()),
            "RABBITMQ_NODENAME": f"hub{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            # Derived from the distribution port otherwise, and then beyond 65535.
            "RABBITMQ_CTL_DIST_PORT_MIN": "35672",
            "RABBITMQ_CTL_DIST_PORT_MAX": "35682",
            "RABBITMQ_CONF_ENV_FILE": str(self._home / "env.conf"),
            "RABBITMQ_CONFIG_FILE": str(self._home / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self._home / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._home / "plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self._home / "generated"),
            "RABBITMQ_MNESIA_BASE": str(self._home / "data"),
            "RABBITMQ_LOG_BASE": str(self._home / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self._home / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 -kernel inet_dist_use_interface {127,0,0,1}",
            # Erlang replaces the start script, so that the process we signal is the broker itself.
            "RUNNING_UNDER_SYSTEMD": "true",
        }
