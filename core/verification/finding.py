"""How a check speaks: it returns when it passes and raises a finding when it does not."""

from core.verification.report import Outcome, Reason


class Finding(Exception):
    """A step that did not pass."""

    outcome = Outcome.FAILED

    def __init__(self, code: str, en: str, zh: str) -> None:
        super().__init__(en)
        self.reason = Reason(code, en, zh)


class Broken(Finding):
    """The check was made and the file does not stand it."""


class Undecided(Finding):
    """The check cannot be made: something needed is missing or not supported."""

    outcome = Outcome.CANNOT
