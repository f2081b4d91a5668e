"""The package worker: claims versions, composes and seals them in batches, and records what came of each.

The bus message is only a hint: the claim in the store decides who makes a package, the fence whose result counts. A seal service
that is away leaves the packages unsealed and visible; a sweep sends them again.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from threading import Event
from typing import Protocol
from uuid import UUID

import msgspec

from contracts.chunk import PackageRequestMessage
from contracts.fault import Rule
from contracts.record import LicenceRecord
from core.errors import FenceLost, NotFound, Refused, TransientError
from core.packaging.bundle import Bundle, package_bundles
from core.packaging.request import PackageRequest, Waiting, file_number
from core.packaging.stored import StoredPackage
from core.packaging.style import Style
from core.ports.bus import Ack, Bus, Channel, Consumer, Delivery, Park, Retry, Settlement
from core.ports.observe import Observer
from core.ports.signer import Signer
from core.sealing.seal import Seal
from core.store.packages import Claim, Made, PackageStore
from router.envelope import package_message

log = logging.getLogger(__name__)

MEDIA = {"ofd": "application/ofd; part=own", "pdf": "application/pdf; part=own"}
TEMPLATE_MEDIA = "application/octet-stream; part=template"
THUMBNAIL_MEDIA = "image/jpeg"
SIGNER_AWAY_S = 30.0
TRIES = 5
"""Claims of one package that may fail before it is held as ``failed``."""


SWEPT_TOGETHER = 100
FAILED = Rule(
    code="package.failed",
    en="the package could not be composed ({why})",
    zh="封装失败（{why}）",
    remedy_en="see the log; once mended, the package is made again on request",
    remedy_zh="请查看日志；排除原因后可重新封装",
)


class Versions(Protocol):
    """Where the records of claimed versions are read."""

    def record(self, licence_id: UUID, version_no: int) -> LicenceRecord: ...


class Blobs(Protocol):
    """Where package bytes are put."""

    def put_all(self, contents: Sequence[tuple[bytes, str]]) -> list[bytes]: ...


class Dressing(Protocol):
    """Which style and seal a licence is packaged with."""

    def style(self, licence_type: str) -> Style:
        """Raises ``NotFound`` when the type names a style that is not there."""
        ...

    def seal(self, licence_type: str, issuer: str) -> Seal:
        """Raises ``NotFound`` when no seal may sign for them."""
        ...

    def item_names(self, licence_type: str) -> dict[str, str]:
        """What the type's extended items are called, by code."""
        ...

    def document_signer(self) -> Signer | None:
        """The key that signs the PDF form; None: no PDF is made."""
        ...


class Library(msgspec.Struct, frozen=True):
    """Whose packages these are."""

    name: str
    code: str


@dataclass(frozen=True)
class Job:
    """A claimed version with all that packaging needs."""

    claim: Claim
    request: PackageRequest
    style: Style
    seal: Seal


@dataclass(frozen=True)
class Group:
    """Jobs that are sealed together."""

    style: Style
    seal: Seal
    jobs: Sequence[Job]


class PackageWorker:
    """One competing consumer of the package channels; runs in one thread."""

    def __init__(
        self,
        bus: Bus,
        packages: PackageStore,
        versions: Versions,
        blobs: Blobs,
        dressing: Dressing,
        library: Library,
        observer: Observer,
        *,
        batch: int = 20,
        lease_s: float = 120.0,
    ) -> None:
        self._bus = bus
        self._packages = packages
        self._versions = versions
        self._blobs = blobs
        self._dressing = dressing
        self._library = library
        self._observer = observer
        self._batch = batch
        self._lease_s = lease_s
        self._templates: dict[str, str] = {}
        """Digest (hex) by id of the templates kept by this process."""

    def run(self, stop: Event) -> None:
        """Until ``stop``; bulk packages are made while nothing more urgent waits."""
        with (
            self._bus.consumer(Channel.PACKAGES, 4) as urgent,
            self._bus.consumer(Channel.PACKAGES_BULK, 4) as bulk,
        ):
            while not stop.is_set():
                if not self.step(urgent, wait_s=0.05):
                    self.step(bulk, wait_s=0.2)

    def step(self, consumer: Consumer, wait_s: float) -> int:
        """Serves the messages of one receive; returns how many there were."""
        deliveries = consumer.receive(1, wait_s)
        for delivery in deliveries:
            consumer.settle([(delivery, self._serve(consumer, delivery))])
        return len(deliveries)

    def _serve(self, consumer: Consumer, delivery: Delivery) -> Settlement:
        try:
            wanted = msgspec.msgpack.decode(delivery.message.body, type=PackageRequestMessage)
        except msgspec.DecodeError as error:
            self._observer.count("dead_letters_total", stage="package", reason="undecodable")
            return Park(f"not a list of versions: {error}")
        try:
            for start in range(0, len(wanted.versions), self._batch):
                consumer.extend([delivery])
                self.make(wanted.versions[start : start + self._batch])
        except TransientError as error:
            log.warning("packages wait: %s", error)
            return Retry(max(error.retry_after_s, SIGNER_AWAY_S))
        return Ack()

    def make(self, versions: Sequence[tuple[UUID, int]]) -> int:
        """Makes the packages of those versions that wait for one; returns how many were finished.

        Raises ``TransientError`` when seal or store is away; what was claimed then waits again.
        """
        started = time.perf_counter()
        claims = self._packages.claim(versions, self._lease_s)
        groups = self._grouped([job for claim in claims if (job := self._job(claim)) is not None])
        made = 0
        for done, group in enumerate(groups):
            try:
                made += self._finish(group, self._seal(group))
            except TransientError as error:
                self._put_back([job for late in groups[done:] for job in late.jobs], str(error))
                raise
        if claims:
            self._observer.observe("stage_duration_seconds", time.perf_counter() - started, stage="package")
        return made

    def _job(self, claim: Claim) -> Job | None:
        """The claim with its record, style and seal; what lacks one is held as ``failed``, visibly."""
        if claim.tries > TRIES:
            self._hold(claim, "failed", f"given up after {TRIES} attempts")
            return None
        try:
            record = self._versions.record(claim.licence_id, claim.version_no)
            style = self._dressing.style(record.licence_type)
            seal = self._dressing.seal(record.licence_type, record.issuer_code)
        except NotFound as error:
            self._hold(claim, "failed", str(error))
            return None
        made_at = datetime.fromtimestamp(claim.created_ms // 1000, UTC)
        request = PackageRequest(
            record=record,
            identifier=claim.identifier,
            file_number=file_number(self._library.code, made_at.date(), claim.licence_id, claim.version_no),
            version_no=claim.version_no,
            licence_id=claim.licence_id,
            library_name=self._library.name,
            source=claim.interface,
            made_at=made_at,
            item_names=self._dressing.item_names(record.licence_type),
        )
        return Job(claim, request, style, seal)

    @staticmethod
    def _grouped(jobs: Sequence[Job]) -> list[Group]:
        """Jobs that share style and seal, for one call to the signer each."""
        groups: dict[tuple[str, str], list[Job]] = {}
        for job in jobs:
            groups.setdefault((job.style.digest, job.seal.name), []).append(job)
        return [Group(found[0].style, found[0].seal, found) for found in groups.values()]

    def _seal(self, group: Group) -> list[Bundle | Waiting]:
        """Composes and seals a group; a record that breaks the composition is found by making them one by one."""
        algorithm = group.seal.signer.algorithm.value
        requests = [job.request for job in group.jobs]
        try:
            sealed = package_bundles(requests, group.style, group.seal, self._dressing.document_signer())
        except Refused as error:
            self._observer.count("signatures_total", len(group.jobs), algorithm=algorithm, outcome="refused")
            raise TransientError(f"the seal may not be used: {error}", retry_after_s=SIGNER_AWAY_S) from error
        except TransientError:
            self._observer.count(
                "signatures_total", len(group.jobs), algorithm=algorithm, outcome="unavailable"
            )
            raise
        except Exception as error:
            if len(group.jobs) > 1:
                return [
                    result
                    for job in group.jobs
                    for result in self._seal(Group(group.style, group.seal, [job]))
                ]
            log.exception("package %s could not be composed", group.jobs[0].claim.licence_id)
            return [_failed(group.jobs[0].claim, error)]
        self._observer.count("signatures_total", len(group.jobs), algorithm=algorithm, outcome="ok")
        return sealed

    def _finish(self, group: Group, results: Sequence[Bundle | Waiting]) -> int:
        """Bytes first, rows last: a package is there if and only if its row says so."""
        ready: list[tuple[Job, Bundle]] = []
        for job, result in zip(group.jobs, results, strict=True):
            if isinstance(result, Bundle):
                ready.append((job, result))
            else:
                reasons = "; ".join(fault.message for fault in result.faults)
                self._hold(job.claim, result.state, result.characters or reasons)
        self._keep([bundle for _, bundle in ready])
        finished = [(job.claim, self._made(job, bundle)) for job, bundle in ready]
        current = self._packages.finish(finished)
        for (_, forms), is_current in zip(finished, current, strict=True):
            for form in forms:
                self._observer.count(
                    "packages_total", form=form, outcome="packaged" if is_current else "superseded"
                )
        return sum(current)

    def _keep(self, bundles: Sequence[Bundle]) -> None:
        """Puts the bytes of bundles; a template once per process, with the first package that names it."""
        templates = {template.template_id: template for bundle in bundles for template in bundle.templates}
        fresh = [
            template for template_id, template in templates.items() if template_id not in self._templates
        ]
        kept = self._blobs.put_all(
            [
                *((template.members, TEMPLATE_MEDIA) for template in fresh),
                *(content for bundle in bundles for content in _contents(bundle)),
            ]
        )
        digests = {template.template_id: digest.hex() for template, digest in zip(fresh, kept, strict=False)}
        self._templates.update(digests)

    def _made(self, job: Job, bundle: Bundle) -> dict[str, Made]:
        """The rows of a bundle, by form."""
        thumbnail = sha256(bundle.thumbnail).digest()
        signers: list[tuple[str, StoredPackage | None, Signer | None]] = [
            ("ofd", bundle.ofd, job.seal.signer),
            ("pdf", bundle.pdf, self._dressing.document_signer()),
        ]
        return {
            form: Made(
                file_number=job.request.file_number,
                template=self._templates.get(stored.template_id, ""),
                digest=stored.digest,
                size_bytes=stored.size_bytes,
                algorithm=signer.algorithm.value,
                key_id=signer.key_id,
                blob=sha256(stored.members).digest(),
                thumbnail=thumbnail,
            )
            for form, stored, signer in signers
            if stored is not None and signer is not None
        }

    def _hold(self, claim: Claim, state: str, detail: str) -> None:
        try:
            self._packages.hold(claim, state, detail)
        except FenceLost as lost:
            log.info("%s", lost)
        self._observer.count("packages_total", form="ofd", outcome=state)

    def _put_back(self, jobs: Sequence[Job], reason: str) -> None:
        for job in jobs:
            try:
                self._packages.put_back(job.claim, reason)
            except (
                TransientError
            ) as error:  # the lease runs out by itself, and a lost fence is somebody else's package
                log.info("package %s: %s", job.claim.licence_id, error)


class PackageSweep:
    """Sends versions again that have waited too long: their message was lost, or the seal was away."""

    def __init__(self, bus: Bus, packages: PackageStore, *, idle_s: float = 30.0) -> None:
        self._bus = bus
        self._packages = packages
        self._idle_s = idle_s

    def __call__(self) -> None:
        """One sweep; raises ``TransientError`` when store or bus is away."""
        due = self._packages.due(self._idle_s)
        for channel, bulk in ((Channel.PACKAGES, False), (Channel.PACKAGES_BULK, True)):
            versions = [version for version, is_bulk in due if is_bulk is bulk]
            for start in range(0, len(versions), SWEPT_TOGETHER):
                self._bus.publish_many(channel, [package_message(versions[start : start + SWEPT_TOGETHER])])


def _failed(claim: Claim, error: Exception) -> Waiting:
    fault = FAILED.at("", why=type(error).__name__)
    return Waiting(licence_id=claim.licence_id, version_no=claim.version_no, state="failed", faults=(fault,))


def _contents(bundle: Bundle) -> Iterator[tuple[bytes, str]]:
    """What a bundle has of its own."""
    yield bundle.ofd.members, MEDIA["ofd"]
    if bundle.pdf is not None:
        yield bundle.pdf.members, MEDIA["pdf"]
    yield bundle.thumbnail, THUMBNAIL_MEDIA
