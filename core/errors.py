"""Errors named after what the hub does next.

HubError
├─ ConfigError        before start: every fault at once, exit code 2
├─ ContractError      the input is not what was agreed: refused with its faults, never retried
├─ TransientError     retry with back-off, or after ``retry_after_s``
│  ├─ Unavailable       bus, store or guard out of reach: 503 and Retry-After
│  └─ Throttled         a limit was reached
├─ PermanentError     dead letter channel
│  ├─ Unroutable        no queue takes it
│  ├─ DataError         the store refuses this record's data; names the record
│  └─ NotFound
├─ Refused            the caller may not, or not now: a problem with a status, nothing changed
└─ InternalError      our bug: alert, keep the message, do not acknowledge
"""

from collections.abc import Mapping
from types import MappingProxyType

from contracts.fault import Fault


class HubError(Exception):
    """Root of every error the hub raises on purpose."""

    code = "hub-error"

    def __init__(self, summary: str, summary_zh: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.summary_zh = summary_zh or summary


class ConfigError(HubError):
    """Configuration or declaration refused; ``faults`` lists every place at once. Exit code 2."""

    code = "configuration"

    def __init__(
        self, source: str, faults: list[Fault], elsewhere: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """``elsewhere`` names, by pointer, the source of what does not come from ``source``."""
        places = [f"{elsewhere.get(fault.pointer, source)}: {fault.pointer or '/'}" for fault in faults]
        both = list(zip(places, faults, strict=True))
        lines = [f"{place}: {fault.message} ({fault.remedy})" for place, fault in both]
        lines_zh = [f"{place}: {fault.message_zh}（{fault.remedy_zh}）" for place, fault in both]
        super().__init__("\n".join(lines), "\n".join(lines_zh))
        self.source = source
        self.faults = faults


class ContractError(HubError):
    """Input that breaks its contract: refused with its faults and never retried."""

    code = "contract"

    def __init__(self, summary: str, faults: list[Fault], summary_zh: str = "") -> None:
        super().__init__(summary, summary_zh)
        self.faults = faults


class TransientError(HubError):
    """Try again later: nothing is wrong with the data."""

    code = "transient"

    def __init__(
        self, summary: str, *, retry_after_s: float = 1.0, summary_zh: str = "", detail: str = ""
    ) -> None:
        """``detail`` is for operators and logs (hosts, ports, the driver's words); senders are told the summary alone."""
        super().__init__(summary, summary_zh)
        self.retry_after_s = retry_after_s
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.summary}: {self.detail}" if self.detail else self.summary


class Unavailable(TransientError):
    """A part the hub needs (bus, store, guard, signer) is out of reach."""

    code = "unavailable"


class Throttled(TransientError):
    """A limit of rate, size or concurrency was reached."""

    code = "throttled"


class FenceLost(TransientError):
    """The lease this work was done under belongs to another holder: the work is void."""

    code = "fence-lost"


class PermanentError(HubError):
    """Retrying cannot help: dead letter channel."""

    code = "permanent"


class Unroutable(PermanentError):
    """The bus has no queue for this channel."""

    code = "unroutable"


class DataError(PermanentError):
    """The store refuses the data of one record."""

    code = "data"

    def __init__(self, summary: str, *, receipt: str) -> None:
        super().__init__(summary)
        self.receipt = receipt


class NotFound(PermanentError):
    """Nothing is known under that name."""

    code = "not-found"


class Refused(HubError):
    """The caller may not do this, or the object's state does not allow it; nothing was changed."""

    code = "refused"

    def __init__(
        self, code: str, summary: str, *, status: int = 403, summary_zh: str = "", fault: Fault | None = None
    ) -> None:
        super().__init__(summary, summary_zh)
        self.code = code
        self.status = status
        self.fault = fault

    @classmethod
    def by(cls, fault: Fault, status: int = 403) -> "Refused":
        """The refusal a finding leads to, with its place and remedy in both languages."""
        return cls(fault.rule, fault.message, status=status, summary_zh=fault.message_zh, fault=fault)


class InternalError(HubError):
    """A defect of the hub: alert, keep the message, do not acknowledge it."""

    code = "internal"
