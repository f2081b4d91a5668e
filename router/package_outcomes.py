"""What becomes of claimed packages, said in the store: made, held, or waiting again."""

import logging
from collections.abc import Sequence

from core.errors import HubError, NotFound, TransientError, Unavailable
from core.ports.observe import Observer
from core.store.packages import Claim, Made, PackageStore
from router.package_material import Absent

log = logging.getLogger(__name__)


class PackageOutcomes:
    """Records and counts them."""

    def __init__(self, packages: PackageStore, observer: Observer) -> None:
        self._packages = packages
        self._observer = observer

    def made(self, finished: Sequence[tuple[Claim, dict[str, Made]]]) -> int:
        """Records packages by form; returns how many are their licence's sealed version now."""
        current = self._packages.finish(finished)
        for (_, forms), is_current in zip(finished, current, strict=True):
            for form in forms:
                self._observer.count(
                    "packages_total", form=form, outcome="packaged" if is_current else "superseded"
                )
        return sum(current)

    def held(self, claim: Claim, state: str, detail: str) -> None:
        """The package waits for a person: ``needs-glyph`` or ``failed``, with what is missing."""
        try:
            self._packages.hold(claim, state, detail)
        except TransientError as error:
            _left(claim, error)
            return
        self._observer.count("packages_total", form="ofd", outcome=state)

    def set_aside(self, claims: Sequence[Claim], error: Exception) -> TransientError | None:
        """What an error means to the packages it kept from being made; returns it when they wait for it to pass.

        Anything that is wrong with the packages themselves holds them as ``failed``.
        """
        passing = passing_of(error)
        if passing is not None:
            for claim in claims:
                self._put_back(claim, str(passing))
            return passing
        foreseen = isinstance(error, NotFound | Absent)
        if not foreseen:
            named = ", ".join(str(claim.licence_id) for claim in claims)
            log.error("package %s could not be made", named, exc_info=error)
        why = str(error) if isinstance(error, HubError | Absent) else type(error).__name__
        detail = why if foreseen else f"the package could not be made (封装失败): {why}"
        for claim in claims:
            self.held(claim, "failed", detail)
        return None

    def _put_back(self, claim: Claim, reason: str) -> None:
        try:
            self._packages.put_back(claim, reason)
        except TransientError as error:
            _left(claim, error)


def passing_of(error: Exception) -> TransientError | None:
    """The error as one that passes, if it is: a part is away, or this host (its disk is full, its file handles are used up).

    Packages wait for a host however long it takes, and no attempt is counted: it says nothing about them, and after a night of a
    full disk nobody should have to release what is sound. Errors of the operating system carry a number; those without one are
    about data (Pillow on a broken picture).
    """
    if isinstance(error, OSError) and error.errno is not None:
        return Unavailable(
            f"this host cannot work now (本机暂不可用): {error}", summary_zh=f"本机暂不可用：{error}"
        )
    return error if isinstance(error, TransientError) else None


def _left(claim: Claim, error: TransientError) -> None:
    """The lease runs out by itself, and a lost fence is somebody else's package."""
    log.info("package %s: %s", claim.licence_id, error)
