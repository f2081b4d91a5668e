"""A TCP proxy that can let its links die without a word."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards to a port of the loopback interface.

    ``half_open`` leaves all present links open but drops what they carry; later links work.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._epoch = 0
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    @property
    def links(self) -> int:
        """Links made so far."""
        return len(self._sockets) // 2

    def half_open(self) -> None:
        self._epoch += 1

    def close(self) -> None:
        for open_socket in (self._listener, *self._sockets):
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
            open_socket.close()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)  # type: ignore[arg-type]  # methods of this class
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target_port))
                self._sockets += [near, far]
                for source, sink in ((near, far), (far, near)):
                    self._start(self._pump, source, sink, self._epoch)

    def _pump(self, source: socket.socket, sink: socket.socket, epoch: int) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if epoch == self._epoch:
                    sink.sendall(data)
            if epoch == self._epoch:
                sink.shutdown(socket.SHUT_WR)
