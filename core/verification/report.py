"""What verification found: one result per step in their fixed order, and the verdict that follows from them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Step(StrEnum):
    """The steps, in the order they are judged: first whether the file is genuine, then its licence's state, then its data."""

    CONTAINER = "container"
    COVERAGE = "coverage"
    DIGESTS = "digests"
    SEAL_EQUAL = "seal-equal"
    SIGNATURE = "signature"
    SEAL_MAKER = "seal-maker"
    CHAIN = "chain"
    VALIDITY = "validity"
    STATUS = "status"
    DATA = "data"


SECURITY_STEPS = tuple(Step)[:8]
"""The steps about the file itself."""
STATEMENT = "statement"
"""Form of a report on what somebody states, without a file."""


class Outcome(StrEnum):
    """What became of a step."""

    PASSED = "passed"
    FAILED = "failed"
    CANNOT = "cannot"
    """It could not be judged: never a reason to call a file valid."""
    NOT_RUN = "not-run"
    """An earlier step failed, or the step has no object here; the reason says which."""


class Verdict(StrEnum):
    """The sum of the steps."""

    VALID = "valid"
    INVALID = "invalid"
    CANNOT_VERIFY = "cannot-verify"


@dataclass(frozen=True)
class Reason:
    """Why a step came out as it did: a stable code and its texts."""

    code: str
    en: str
    zh: str


@dataclass(frozen=True)
class Text:
    """What is said to people, in both languages."""

    en: str
    zh: str

    def as_dict(self) -> dict[str, str]:
        """The text as JSON."""
        return {"en": self.en, "zh-CN": self.zh}


@dataclass(frozen=True)
class StepResult:
    """One step with its outcome."""

    step: Step
    outcome: Outcome
    reason: Reason

    def as_dict(self) -> dict[str, Any]:
        """The step as JSON."""
        message = {"en": self.reason.en, "zh-CN": self.reason.zh}
        return {
            "step": self.step.value,
            "outcome": self.outcome.value,
            "code": self.reason.code,
            "message": message,
        }


@dataclass(frozen=True, kw_only=True)
class SignatureFacts:
    """What one signature says of itself; nothing here is a judgement."""

    name: str
    kind: str
    """``seal``, ``signature`` (OFD without seal), ``pdf`` or ``timestamp`` (of a PDF)."""
    algorithm: str = ""
    key_id: str = ""
    signer: str = ""
    """Subject of the signer's certificate."""
    signed_at: datetime | None = None
    """The signer's own claim; a timestamp, where there is one, is named in ``notes``."""
    seal_name: str = ""
    seal_version: int | None = None
    notes: tuple[Text, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The facts as JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "algorithm": self.algorithm,
            "key_id": self.key_id,
            "signer": self.signer,
            "signed_at": self.signed_at.isoformat() if self.signed_at else None,
            "seal_name": self.seal_name,
            "seal_version": self.seal_version,
            "notes": [note.as_dict() for note in self.notes],
        }


@dataclass(frozen=True)
class UncoveredBytes:
    """A run of bytes that no signature covers and no header accounts for."""

    offset: int
    length: int
    what: str
    what_zh: str


@dataclass(frozen=True)
class Content:
    """What the file says of its licence, readable whether or not it is genuine."""

    metadata: dict[str, str] = field(default_factory=dict)
    """Metadata by code (``ZZMC``, ``KZ_…``)."""
    face_items: dict[str, str] = field(default_factory=dict)
    """Texts drawn on the page by the code of their item."""
    drawn_text: tuple[str, ...] = ()
    """Every text drawn, in the order of the file."""

    @property
    def identifier(self) -> str:
        """证照标识 the file claims, or empty."""
        return self.metadata.get("ZZBS", "")


@dataclass(frozen=True, kw_only=True)
class VerificationReport:
    """The whole finding about one file."""

    form: str
    """``ofd``, ``pdf``, ``statement`` or ``unknown``."""
    own: bool
    """The file says it was made by a hub, so only the canonical form is accepted."""
    steps: tuple[StepResult, ...]
    signatures: tuple[SignatureFacts, ...] = ()
    unsigned_members: tuple[str, ...] = ()
    uncovered: tuple[UncoveredBytes, ...] = ()
    content: Content = field(default_factory=Content)

    @property
    def verdict(self) -> Verdict:
        """Invalid when a step failed, cannot-verify when one could not be judged, else valid."""
        outcomes = {result.outcome for result in self.steps}
        if Outcome.FAILED in outcomes:
            return Verdict.INVALID
        decisive = self.result_of(Step.STATUS if self.form == STATEMENT else Step.SIGNATURE)
        proved = decisive.outcome is Outcome.PASSED and Outcome.CANNOT not in outcomes
        return Verdict.VALID if proved else Verdict.CANNOT_VERIFY

    @property
    def first_failed(self) -> StepResult | None:
        """The first step that failed, else the first that could not be judged, else None."""
        for outcome in (Outcome.FAILED, Outcome.CANNOT):
            for result in self.steps:
                if result.outcome is outcome:
                    return result
        return None

    def result_of(self, step: Step) -> StepResult:
        """The result of one step; raises ``KeyError``."""
        return {result.step: result for result in self.steps}[step]

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON."""
        first = self.first_failed
        return {
            "verdict": self.verdict.value,
            "form": self.form,
            "own": self.own,
            "first_failed": first.as_dict() if first else None,
            "steps": [result.as_dict() for result in self.steps],
            "signatures": [facts.as_dict() for facts in self.signatures],
            "unsigned_members": list(self.unsigned_members),
            "uncovered_bytes": [
                {"offset": u.offset, "length": u.length, "what": Text(u.what, u.what_zh).as_dict()}
                for u in self.uncovered
            ],
            "content": {
                "identifier": self.content.identifier,
                "metadata": self.content.metadata,
                "face_items": self.content.face_items,
            },
        }
