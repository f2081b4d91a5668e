"""The package worker: claims versions, composes and seals them in batches, and records what came of each.

The bus message is only a hint: the claim in the store decides who makes a package, the fence whose result counts. A seal service
that is away leaves the packages unsealed and visible; a sweep sends them again. Another library's original is verified and kept
as it came, never sealed.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from threading import Event
from uuid import UUID

import msgspec

from contracts.chunk import PackageRequestMessage
from contracts.record import LicenceRecord, SourceClass
from core.errors import NotFound, Refused, TransientError
from core.packaging.bundle import Bundle, package_bundles
from core.packaging.request import PackageRequest, Waiting, file_number
from core.packaging.scans import is_scanned
from core.packaging.stored import StoredPackage
from core.packaging.style import Style
from core.ports.bus import Ack, Bus, Channel, Consumer, Delivery, Park, Retry, Settlement
from core.ports.observe import Observer
from core.ports.signer import Signer
from core.sealing.seal import Seal
from core.store.packages import Claim, Made, PackageStore
from core.verification.originals import NotKept
from router.envelope import package_message
from router.package_material import PackageMaterial
from router.package_outcomes import PackageOutcomes, passing_of
from router.package_ports import Blobs, Dressing

log = logging.getLogger(__name__)

MEDIA = {"ofd": "application/ofd; part=own", "pdf": "application/pdf; part=own"}
TEMPLATE_MEDIA = "application/octet-stream; part=template"
THUMBNAIL_MEDIA = "image/jpeg"
SIGNER_AWAY_S = 30.0
TRIES = 5
"""Claims of one package that may fail before it is held as ``failed``."""


SWEPT_TOGETHER = 100


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
    documents: Signer | None
    """Signs the PDF form; one key for the whole group, whatever comes into use meanwhile."""
    jobs: Sequence[Job]


class PackageWorker:
    """One competing consumer of the package channels; runs in one thread."""

    def __init__(
        self,
        bus: Bus,
        packages: PackageStore,
        material: PackageMaterial,
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
        self._outcomes = PackageOutcomes(packages, observer)
        self._material = material
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
        away: TransientError | None = None
        for start in range(0, len(wanted.versions), self._batch):
            try:
                consumer.extend([delivery])
                self.make(wanted.versions[start : start + self._batch])
            except TransientError as error:  # what one batch waits for need not concern the next
                log.warning("packages wait: %s", error)
                away = error
        if away is not None:
            return Retry(max(away.retry_after_s, SIGNER_AWAY_S))
        return Ack()

    def make(self, versions: Sequence[tuple[UUID, int]]) -> int:
        """Makes the packages of those versions that wait for one; returns how many were finished.

        Raises ``TransientError`` when a seal, the store or this host's disk is away; what it was needed for waits again, the rest
        is made. What is wrong with one package is never a reason not to make the others.
        """
        started = time.perf_counter()
        claims = self._packages.claim(versions, self._lease_s)
        jobs, made, away = self._jobs(claims)
        try:
            groups = self._grouped(jobs, self._dressing.document_signer()) if jobs else []
        except (TransientError, OSError) as error:
            groups, away = [], self._outcomes.set_aside([job.claim for job in jobs], error)
        for group in groups:
            finished, waiting_for = self._made_of(group)
            made += finished
            away = waiting_for or away
        if claims:
            self._observer.observe("stage_duration_seconds", time.perf_counter() - started, stage="package")
        if away is not None:
            raise away
        return made

    def _jobs(self, claims: Sequence[Claim]) -> tuple[list[Job], int, TransientError | None]:
        """The claims that can be packaged now, how many originals were kept, and what kept others from it."""
        jobs: list[Job] = []
        kept = 0
        away: TransientError | None = None
        for claim in claims:
            try:
                record = self._record(claim)
                if record.source_class is SourceClass.LIBRARY:
                    kept += self._keep_original(claim, record)
                else:
                    jobs.append(self._job(claim, record))
            except Exception as error:  # noqa: BLE001 whatever is wrong with one version, it is not the others' fault
                away = self._outcomes.set_aside([claim], error) or away
        return jobs, kept, away

    def _record(self, claim: Claim) -> LicenceRecord:
        """The record of a claim; raises ``NotFound`` for one without, or tried too often."""
        if claim.tries > TRIES:
            raise NotFound(f"given up after {TRIES} attempts")
        return self._material.record(claim.licence_id, claim.version_no)

    def _keep_original(self, claim: Claim, record: LicenceRecord) -> int:
        """Another library's original becomes the package; one that is not accepted is held as ``failed``. Raises ``Absent``."""
        kept = self._material.original(record, claim.identifier, self._file_number(claim))
        if isinstance(kept, NotKept):
            self._outcomes.held(claim, "failed", kept.reason)
            return 0
        return self._outcomes.made([(claim, {kept.form: kept.made})])

    def _file_number(self, claim: Claim) -> str:
        asked_on = datetime.fromtimestamp(claim.created_ms // 1000, UTC).date()
        return file_number(self._library.code, asked_on, claim.licence_id, claim.version_no)

    def _job(self, claim: Claim, record: LicenceRecord) -> Job:
        """The claim with style and seal; raises ``NotFound`` when there is none, ``Unavailable`` when it cannot be used now."""
        style = self._dressing.style(record.licence_type)
        seal = self._dressing.seal(record.licence_type, record.issuer_code)
        request = PackageRequest(
            record=record,
            identifier=claim.identifier,
            file_number=self._file_number(claim),
            version_no=claim.version_no,
            licence_id=claim.licence_id,
            library_name=self._library.name,
            source=claim.interface,
            made_at=datetime.fromtimestamp(claim.claimed_ms // 1000, UTC),
            item_names=self._dressing.item_names(record.licence_type),
            code_tables=self._dressing.code_tables(record.licence_type),
        )
        return Job(claim, request, style, seal)

    @staticmethod
    def _grouped(jobs: Sequence[Job], documents: Signer | None) -> list[Group]:
        """Jobs that share style and seal, for one call to the signer each; scanned ones by themselves, for their size."""
        groups: dict[tuple[str, str, str, UUID | None], list[Job]] = {}
        for job in jobs:
            alone = job.claim.licence_id if is_scanned(job.request.record) else None
            # a key may change under its seal
            key = (job.style.digest, job.seal.name, job.seal.signer.key_id, alone)
            groups.setdefault(key, []).append(job)
        return [Group(found[0].style, found[0].seal, documents, found) for found in groups.values()]

    def _made_of(self, group: Group) -> tuple[int, TransientError | None]:
        """How many packages of a group were finished, and what the others wait for; one that breaks the rest fails alone."""
        try:
            return self._sealed(group), None
        except Exception as error:  # noqa: BLE001 as above
            if len(group.jobs) == 1 or passing_of(error):
                return 0, self._outcomes.set_aside([job.claim for job in group.jobs], error)
        alone = [self._made_of(replace(group, jobs=[job])) for job in group.jobs]
        return sum(made for made, _ in alone), next((away for _, away in alone if away), None)

    def _sealed(self, group: Group) -> int:
        """Makes the packages of a group; returns how many were finished.

        Scans are read only now: those of many licences together would fill the memory.
        """
        ready = replace(group, jobs=[self._with_scans(job) for job in group.jobs])
        return self._finish(ready, self._seal(ready))

    def _with_scans(self, job: Job) -> Job:
        """The job with the scans its record refers to; raises ``Absent`` without them."""
        if not is_scanned(job.request.record):
            return job
        scans = self._material.scans(job.request.record)
        return replace(job, request=msgspec.structs.replace(job.request, scans=scans))

    def _seal(self, group: Group) -> list[Bundle | Waiting]:
        """Composes and seals a group."""
        algorithm = group.seal.signer.algorithm.value
        requests = [job.request for job in group.jobs]
        try:
            sealed = package_bundles(requests, group.style, group.seal, group.documents)
        except Refused as error:
            self._observer.count("signatures_total", len(group.jobs), algorithm=algorithm, outcome="refused")
            raise TransientError(f"the seal may not be used: {error}", retry_after_s=SIGNER_AWAY_S) from error
        except TransientError:
            self._observer.count(
                "signatures_total", len(group.jobs), algorithm=algorithm, outcome="unavailable"
            )
            raise
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
                self._outcomes.held(job.claim, result.state, result.characters or reasons)
        self._keep([bundle for _, bundle in ready])
        return self._outcomes.made([(job.claim, self._made(group, job, bundle)) for job, bundle in ready])

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

    def _made(self, group: Group, job: Job, bundle: Bundle) -> dict[str, Made]:
        """The rows of a bundle, by form."""
        thumbnail = sha256(bundle.thumbnail).digest()
        signers: list[tuple[str, StoredPackage | None, Signer | None]] = [
            ("ofd", bundle.ofd, group.seal.signer),
            ("pdf", bundle.pdf, group.documents),
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


def _contents(bundle: Bundle) -> Iterator[tuple[bytes, str]]:
    """What a bundle has of its own."""
    yield bundle.ofd.members, MEDIA["ofd"]
    if bundle.pdf is not None:
        yield bundle.pdf.members, MEDIA["pdf"]
    yield bundle.thumbnail, THUMBNAIL_MEDIA
