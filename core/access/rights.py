"""Who may do what: default deny over a closed list of actions (ARCHITECTURE 4.14, ASVS 8.2)."""

from enum import StrEnum

import msgspec

from contracts.fault import Rule
from core.errors import Refused


class Action(StrEnum):
    """Everything a principal can be allowed to do."""

    PUSH = "push"
    RECEIPT_READ = "receipt.read"
    QUARANTINE_READ = "quarantine.read"
    LICENCE_READ = "licence.read"
    LICENCE_FETCH = "licence.fetch"
    VERIFY = "verify"
    MANAGE = "manage"
    """Reading in the management scope: all states and history, not only what is current, valid and sealed."""


ON_INTERFACES = frozenset({Action.PUSH, Action.RECEIPT_READ, Action.QUARANTINE_READ})
"""Actions a grant limits to interfaces."""

ON_TYPES = frozenset({Action.LICENCE_READ, Action.LICENCE_FETCH, Action.MANAGE})
"""Actions a grant limits to licence types."""

DENIED = Rule(
    code="access.denied",
    en="{client} may not {action} {target}",
    zh="{client} 无权对 {target} 执行 {action}",
    remedy_en="Ask the hub's administrator for a grant that covers it.",
    remedy_zh="请向平台管理员申请相应授权。",
)


class Right(msgspec.Struct, frozen=True):
    """A grant as checked: actions with the interfaces and licence types they are for."""

    actions: frozenset[Action]
    interfaces: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


class Principal(msgspec.Struct, frozen=True):
    """A caller whose credential has been verified."""

    client: str
    department: str = ""
    rights: tuple[Right, ...] = ()


def allows(principal: Principal, action: Action, *, interface: str = "", licence_type: str = "") -> bool:
    """Whether a right of the principal covers the action on its target; what is not granted is denied."""
    for right in principal.rights:
        if action not in right.actions:
            continue
        if action in ON_INTERFACES and not _covers(right.interfaces, interface):
            continue
        if action in ON_TYPES and not _covers(right.types, licence_type):
            continue
        return True
    return False


def authorise(principal: Principal, action: Action, *, interface: str = "", licence_type: str = "") -> None:
    """Returns when the action is allowed; raises ``Refused`` (403) otherwise."""
    if not allows(principal, action, interface=interface, licence_type=licence_type):
        target = interface or licence_type or "anything"
        raise Refused.by(DENIED.at("", client=principal.client, action=action.value, target=target))


def granted_types(principal: Principal, action: Action) -> tuple[str, ...]:
    """The licence type patterns an action is granted for: the limits of a query."""
    return tuple(
        sorted({kind for right in principal.rights if action in right.actions for kind in right.types})
    )


def granted_interfaces(principal: Principal, action: Action) -> tuple[str, ...]:
    """The interface patterns an action is granted for."""
    return tuple(
        sorted({name for right in principal.rights if action in right.actions for name in right.interfaces})
    )


def matches(pattern: str, name: str) -> bool:
    """Whether a grant's pattern covers a name: equal, or equal up to a final ``*``; never an empty name."""
    if not name:
        return False
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _covers(patterns: tuple[str, ...], name: str) -> bool:
    return any(matches(pattern, name) for pattern in patterns)
