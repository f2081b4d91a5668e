"""Access: a verified credential becomes a principal, and a principal's rights decide; nothing is allowed unless granted."""

from core.access.authenticator import Authenticator, Credential, SignedRequest, Verified
from core.access.clients import load_authenticator
from core.access.rights import (
    Action,
    Principal,
    Right,
    allows,
    authorise,
    granted_interfaces,
    granted_types,
    matches,
)

__all__ = [
    "Action",
    "Authenticator",
    "Credential",
    "Principal",
    "Right",
    "SignedRequest",
    "Verified",
    "allows",
    "authorise",
    "granted_interfaces",
    "granted_types",
    "load_authenticator",
    "matches",
]
