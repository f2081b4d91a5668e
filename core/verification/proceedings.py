"""Takes a file through the steps in their order: the first failure ends them, what cannot be judged is noted and they go on."""

import logging
from collections.abc import Callable

from core.verification.finding import Finding
from core.verification.report import Outcome, Reason, Step, StepResult

_LOG = logging.getLogger(__name__)


class NotApplicable(Exception):
    """The step has no object in this file, or its means are not at hand by choice; the verdict does not depend on it."""

    def __init__(self, code: str, en: str, zh: str) -> None:
        super().__init__(en)
        self.reason = Reason(code, en, zh)


class Proceedings:
    """Collects the result of each step."""

    def __init__(self) -> None:
        self.results: list[StepResult] = []
        self._stopped_at: Step | None = None

    def take(self, step: Step, check: Callable[[], Reason]) -> None:
        """Runs ``check`` unless an earlier step failed; ``check`` returns its reason or raises a finding.

        Any other exception is a defect of the verifier: logged, and the step cannot be judged.
        """
        if self._stopped_at is not None:
            self._note(step, Outcome.NOT_RUN, _stopped(self._stopped_at))
            return
        try:
            self._note(step, Outcome.PASSED, check())
        except Finding as finding:
            self._note(step, finding.outcome, finding.reason)
            self._stopped_at = step if finding.outcome is Outcome.FAILED else None
        except NotApplicable as reason:
            self._note(step, Outcome.NOT_RUN, reason.reason)
        except Exception:  # noqa: BLE001  # fail closed: whatever goes wrong in here must not let a file pass
            _LOG.exception("verification step %s broke down", step.value)
            self._note(
                step, Outcome.CANNOT, Reason("internal", "the verifier failed here", "验证程序在此步出错")
            )

    def _note(self, step: Step, outcome: Outcome, reason: Reason) -> None:
        self.results.append(StepResult(step, outcome, reason))


def passed(en: str, zh: str) -> Reason:
    """The reason of a step that passed."""
    return Reason("passed", en, zh)


def genuine(signatures: int) -> Reason:
    """The reason of the step that found every signature genuine."""
    counted = "1 signature is" if signatures == 1 else f"{signatures} signatures are"
    return passed(f"{counted} genuine", f"{signatures} 个签名验证通过")


def _stopped(step: Step) -> Reason:
    return Reason("earlier-step", f"not run: step {step.value} failed", f"未执行：步骤 {step.value} 未通过")
