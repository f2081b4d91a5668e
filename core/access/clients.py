"""The clients of the configuration as credentials; their secrets are read once, from where the references point."""

from pathlib import Path

from contracts.fault import Fault, Rule, pointer
from core.access.authenticator import Authenticator, Credential
from core.access.rights import Action, Principal, Right
from core.config import Client, Grant, HubConfig
from core.errors import ConfigError
from core.secrets import resolve

SECRET_BYTES = 16
"""Shortest secret accepted."""

WEAK = Rule(
    code="access.weak-secret",
    en="the secret of client {client!r} is shorter than {least} bytes",
    zh="客户端 {client!r} 的密钥少于 {least} 字节",
    remedy_en="Use at least 32 random characters.",
    remedy_zh="请使用至少 32 个随机字符。",
)


def load_authenticator(config: HubConfig) -> Authenticator:
    """The authenticator of the configured clients; raises ``ConfigError`` with every secret that is missing or weak."""
    credentials, faults = [], []
    for index, client in enumerate(config.clients):
        try:
            credentials.append(_credential(client, index, Path(config.folder)))
        except ConfigError as error:
            faults += [_placed(fault, index) for fault in error.faults]
    if faults:
        raise ConfigError("client secrets", faults)
    return Authenticator(credentials, window_s=config.gateway.signature_window_s)


def right(grant: Grant) -> Right:
    """The right a grant declares; ``*`` stands for every action there is."""
    actions = frozenset(Action) if "*" in grant.actions else frozenset(Action(name) for name in grant.actions)
    return Right(actions, grant.interfaces, grant.types)


def _credential(client: Client, index: int, base: Path) -> Credential:
    secret = resolve(client.secret, base).encode()
    if len(secret) < SECRET_BYTES:
        place = pointer("client", index, "secret")
        raise ConfigError(client.secret, [WEAK.at(place, client=client.id, least=SECRET_BYTES)])
    principal = Principal(client.id, client.department, tuple(right(grant) for grant in client.grants))
    return Credential(principal, client.kind, secret)


def _placed(fault: Fault, index: int) -> Fault:
    """A fault of the secret's reference, at its place in the configuration."""
    return Fault(
        rule=fault.rule,
        pointer=pointer("client", index, "secret"),
        message=fault.message,
        message_zh=fault.message_zh,
        remedy=fault.remedy,
        remedy_zh=fault.remedy_zh,
    )
