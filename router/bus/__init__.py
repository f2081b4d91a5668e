"""The bus: ``open_bus`` gives the configured implementation of ``core.ports.bus.Bus``."""

from pathlib import Path
from typing import Literal

from core.ports.bus import Bus

Kind = Literal["embedded", "rabbitmq"]


def open_bus(kind: Kind, url: str | Path, *, prefix: str = "hub") -> Bus:
    """The bus of this kind; does no I/O.

    ``url`` is the path of the file for ``embedded``, an AMQP URL for ``rabbitmq``. ``prefix`` begins the name of every
    exchange and queue, so that several hubs can share a broker.
    """
    if kind == "embedded":
        from router.bus.embedded import EmbeddedBus  # noqa: PLC0415 - only the configured bus is loaded

        return EmbeddedBus(Path(url))
    from router.bus.rabbitmq import RabbitBus  # noqa: PLC0415 - the same

    return RabbitBus(str(url), prefix=prefix)
