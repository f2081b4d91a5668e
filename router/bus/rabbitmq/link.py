"""How the hub connects to RabbitMQ, and what the driver's errors mean."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError, ChannelClosedByBroker

from contracts.fault import Rule
from core.errors import ConfigError, HubError, Unavailable, Unroutable

# The driver logs each failed attempt several times, with tracebacks; the links say once what was lost and when it is back.
logging.getLogger("pika").setLevel(logging.CRITICAL)

HEARTBEAT_S = 10
"""A link that is dead without saying so is noticed within three of these; ``?heartbeat=`` in the URL overrides it."""
CONNECT_TIMEOUT_S = 10.0
"""For links that try again by themselves; a broker that is slow to answer must not be asked anew for ever."""
ERRAND_TIMEOUT_S = 4.0
NOT_FOUND = 404
LINK_ERRORS = (AMQPError, AMQPConnectorException, OSError)
"""What can end a connection or keep it from being made."""


_BAD_URL = Rule(
    code="bus.url",
    en="the broker's URL cannot be read ({why})",
    zh="无法解析消息代理的 URL（{why}）",
    remedy_en="write amqp://USER:PASSWORD@HOST:5672/VHOST, with special characters percent-encoded",
    remedy_zh="请写成 amqp://用户:口令@主机:5672/虚拟主机，特殊字符须百分号编码",
)


def check(url: str) -> None:
    """Raises ``ConfigError`` for a URL that the driver cannot read; the URL itself, which holds a password, is not shown."""
    try:
        scheme = urlsplit(url).scheme
        if scheme not in {"amqp", "amqps"}:
            raise ConfigError("bus", [_BAD_URL.at("/bus/url", why=f"scheme {scheme!r}")])
        parameters(url, "check")
    except (ValueError, TypeError) as error:
        raise ConfigError("bus", [_BAD_URL.at("/bus/url", why=type(error).__name__)]) from None


def parameters(url: str, purpose: str) -> pika.URLParameters:
    """Connection parameters; the broker's management pages show ``purpose`` and the process id."""
    made = pika.URLParameters(url)
    if made.heartbeat is None:
        made.heartbeat = HEARTBEAT_S
    made.connection_attempts = 1
    made.socket_timeout = CONNECT_TIMEOUT_S
    made.stack_timeout = CONNECT_TIMEOUT_S
    made.client_properties = {"connection_name": f"licence-hub {purpose} {os.getpid()}"}
    return made


@contextmanager
def admin_channel(url: str, purpose: str) -> Iterator[BlockingChannel]:
    """A channel on a connection of its own, for an errand.

    Raises ``Unavailable``, or ``Unroutable`` when something is missing.
    """
    wanted = parameters(url, purpose)
    wanted.socket_timeout = wanted.stack_timeout = wanted.blocked_connection_timeout = ERRAND_TIMEOUT_S
    try:
        connection = pika.BlockingConnection(wanted)
        try:
            yield connection.channel()
        finally:
            with suppress(*LINK_ERRORS):
                connection.close()
    except LINK_ERRORS as error:
        raise translated(error) from error


def translated(error: BaseException) -> HubError:
    """The hub's error for one of ``LINK_ERRORS``."""
    if isinstance(error, ChannelClosedByBroker) and error.reply_code == NOT_FOUND:
        return Unroutable(
            f"the broker lacks a part of the topology: {error.reply_text}", "消息代理缺少队列或交换机"
        )
    return Unavailable("the broker is out of reach", summary_zh="消息代理不可达", detail=describe(error))


def describe(error: BaseException) -> str:
    """The driver's error in one line; it often says nothing but its own name."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
