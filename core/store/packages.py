"""The state of every package: pending, claimed under a lease and fence, packaged, or why not.

A package row is written with the version it belongs to; this module only moves its state. A package is present if and only if its
row says ``packaged``: the bytes are put first, the row last, in one transaction with the journal entry.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, and_, bindparam, func, or_, select, tuple_, update

from contracts.identity import uuid7
from core.errors import FenceLost
from core.store.bulk import insert_rows, update_rows
from core.store.engine import Database
from core.store.journal import canonical
from core.store.leases import database_now_ms
from core.store.tables import journal_pending, licence, licence_version, package

Version = tuple[UUID, int]
"""(licence id, version number)."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A package this worker may make until its lease ends."""

    licence_id: UUID
    version_no: int
    form: str
    fence: int
    tries: int
    identifier: str
    interface: str
    created_ms: int
    claimed_ms: int
    """Now, by the store's clock: the moment the package is made and sealed at."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A finished package: where its bytes are and what sealed it."""

    file_number: str
    template: str
    digest: bytes
    """SHA-256 of the assembled file."""
    size_bytes: int
    algorithm: str
    key_id: str
    blob: bytes
    """Digest of the stored (thin) form in the blob store."""
    thumbnail: bytes | None = None
    original: bool = False
    """Another library's sealed file, kept as it came."""


class PackageView(msgspec.Struct, frozen=True, kw_only=True):
    """A package row as readers see it."""

    licence_id: UUID
    version_no: int
    form: str
    state: str
    detail: str
    file_number: str
    template: str
    digest: bytes | None
    size_bytes: int | None
    algorithm: str
    key_id: str
    blob: bytes | None
    thumbnail: bytes | None
    created_ms: int
    changed_ms: int

    @property
    def original(self) -> bool:
        """Whether the package is another library's sealed file: what the hub packages names a template."""
        return self.state == "packaged" and not self.template


class PackageStore:
    """Claims and outcomes of packaging."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, versions: Sequence[Version], lease_s: float) -> list[Claim]:
        """Claims those of ``versions`` that wait (or whose claim has lapsed); the rest are somebody else's or done."""
        if not versions:
            return []
        ids = tuple_(package.c.licence_id, package.c.version_no)
        with self._database.begin() as connection:
            now_ms = database_now_ms(connection)
            waiting = (
                self._waiting(now_ms)
                .where(ids.in_(list(versions)))
                .with_for_update(of=package, skip_locked=True)
            )
            rows = connection.execute(waiting).all()
            claims = [_claimed(row, now_ms) for row in rows]
            if claims:
                until_ms = now_ms + int(lease_s * 1000)
                connection.execute(
                    _TAKE, [{**_place(claim), "lease": until_ms, "now": now_ms} for claim in claims]
                )
            return claims

    def due(self, idle_s: float, limit: int = 1000) -> list[tuple[Version, bool]]:
        """Versions that have waited for ``idle_s`` without a worker, with their bulk mark: the sweep sends them again."""
        with self._database.read() as connection:
            now_ms = database_now_ms(connection)
            late = self._waiting(now_ms).where(package.c.changed_ms <= now_ms - int(idle_s * 1000))
            rows = connection.execute(late.order_by(package.c.bulk, package.c.created_ms).limit(limit)).all()
            return [((row.licence_id, row.version_no), bool(row.bulk)) for row in rows]

    def finish(self, finished: Sequence[tuple[Claim, Mapping[str, Made]]]) -> list[bool]:
        """Records packages by form, one transaction for all; tells for each whether it is the licence's sealed version now.

        False for a version that was superseded or ended meanwhile (recorded as such) and for a claim that has lapsed: another
        worker makes that package, and nothing of this one is recorded.
        """
        if not finished:
            return []
        with self._database.begin() as connection:
            now_ms = database_now_ms(connection)
            heads = _locked_heads(connection, [claim.licence_id for claim, _ in finished])
            ours = _still_ours(connection, [claim for claim, _ in finished])
            writing = _Finishing(now_ms)
            current: list[bool] = []
            for claim, made in finished:
                head = heads[claim.licence_id]
                wanted = head.current_version == claim.version_no and head.status == "valid"
                if _key(claim) in ours and wanted:
                    writing.add(claim, made)
                elif _key(claim) in ours:
                    detail = f"current version {head.current_version}, {head.status}"
                    self._set(connection, claim, now_ms, state="superseded", detail=detail)
                current.append(_key(claim) in ours and wanted)
            writing.flush(connection)
            return current

    def put_back(self, claim: Claim, detail: str) -> None:
        """The signer or store is away: the package waits unsealed until the sweep finds it, and no attempt is counted."""
        with self._database.begin() as connection:
            now_ms = database_now_ms(connection)
            self._set(
                connection, claim, now_ms, state="pending", detail=detail, lease_ms=0, tries=claim.tries - 1
            )

    def hold(self, claim: Claim, state: str, detail: str) -> None:
        """The package cannot be made as things are: ``needs-glyph`` or ``failed``, with what is missing."""
        with self._database.begin() as connection:
            self._set(connection, claim, database_now_ms(connection), state=state, detail=detail)

    def get(self, licence_id: UUID, version_no: int, form: str = "") -> PackageView | None:
        """One package's row; without ``form`` that of the OFD, or of the only form there is."""
        here = and_(package.c.licence_id == licence_id, package.c.version_no == version_no)
        if form:
            here = and_(here, package.c.form == form)
        with self._database.read() as connection:
            row = connection.execute(select(*_VIEW).where(here).order_by(package.c.form).limit(1)).first()
            return None if row is None else PackageView(**row._mapping)

    def states(self) -> dict[str, int]:
        """How many packages are in each state."""
        counting = select(package.c.state, func.count()).group_by(package.c.state)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(counting)}

    def oldest_pending_ms(self) -> int | None:
        """When the oldest unsealed package was asked for."""
        oldest = select(func.min(package.c.created_ms)).where(package.c.state.in_(("pending", "claimed")))
        with self._database.read() as connection:
            return connection.execute(oldest).scalar_one_or_none()

    @staticmethod
    def _waiting(now_ms: int) -> Select[Any]:
        lapsed = and_(package.c.state == "claimed", package.c.lease_ms < now_ms)
        same = and_(
            licence_version.c.licence_id == package.c.licence_id,
            licence_version.c.version_no == package.c.version_no,
        )
        columns = (package, licence_version.c.identifier, licence_version.c.interface)
        return select(*columns).join(licence_version, same).where(or_(package.c.state == "pending", lapsed))

    @staticmethod
    def _set(connection: Connection, claim: Claim, now_ms: int, **values: object) -> None:
        ours = update(package).where(
            *_is(claim), package.c.fence == claim.fence, package.c.state == "claimed"
        )
        if connection.execute(ours.values(changed_ms=now_ms, **values)).rowcount == 0:
            raise FenceLost(f"package {claim.licence_id}/{claim.version_no} has another maker")


_VIEW = tuple(package.c[name] for name in PackageView.__struct_fields__)


def _key(claim: Claim) -> tuple[UUID, int, str]:
    return claim.licence_id, claim.version_no, claim.form


def _locked_heads(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Any]:
    """The licences, locked in order of their key, as every writer locks them."""
    columns = (licence.c.id, licence.c.current_version, licence.c.status)
    heads = select(*columns).where(licence.c.id.in_(ids)).order_by(licence.c.licence_key).with_for_update()
    return {row.id: row for row in connection.execute(heads)}


def _still_ours(connection: Connection, claims: Sequence[Claim]) -> set[tuple[UUID, int, str]]:
    """Keys of the claims that have not lapsed into another worker's hands."""
    fences = {_key(claim): claim.fence for claim in claims}
    columns = (package.c.licence_id, package.c.version_no, package.c.form, package.c.fence)
    ids = package.c.licence_id.in_([claim.licence_id for claim in claims])
    held = select(*columns).where(ids, package.c.state == "claimed").order_by(package.c.licence_id)
    rows = connection.execute(held.with_for_update())  # nobody takes them over before this transaction ends
    return {(row[0], row[1], row[2]) for row in rows if fences.get((row[0], row[1], row[2])) == row[3]}


class _Finishing:
    """What a batch of finished packages writes: a statement a table, whatever the number of packages."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._claimed: list[dict[str, object]] = []
        self._beside: list[tuple[object, ...]] = []
        self._pending: list[tuple[object, ...]] = []
        self._sealed: list[tuple[object, ...]] = []

    def add(self, claim: Claim, made: Mapping[str, Made]) -> None:
        """The package of a claim that is held and of the licence's current version."""
        claimed = claim.form if claim.form in made else next(iter(made))
        for form, one in made.items():
            values = _columns(one)
            if form == claimed:  # an original may have another form than the one that was asked for
                named = {f"new_{name}": value for name, value in values.items()}
                self._claimed.append({**_place(claim), "new_form": form, "now": self._now_ms, **named})
            else:
                place = (claim.licence_id, claim.version_no, form, "packaged", False)
                self._beside.append((*place, claim.created_ms, self._now_ms, *values.values()))
            event = canonical(_event(claim, form, one))
            subject = str(claim.licence_id)
            self._pending.append((uuid7(self._now_ms), "licence.packaged", subject, event, self._now_ms))
        self._sealed.append((claim.licence_id, claim.version_no, self._now_ms))

    def flush(self, connection: Connection) -> None:
        """Sends everything; raises ``FenceLost`` when a claim is no longer held, and then nothing of it may be committed."""
        if not self._claimed:
            return
        if connection.execute(_FINISH, self._claimed).rowcount != len(self._claimed):
            raise FenceLost("a package of the batch has another maker")
        insert_rows(connection, package, (*_BESIDE, *_MADE), self._beside)
        insert_rows(connection, journal_pending, _PENDING, self._pending)
        update_rows(connection, licence, ("id", "sealed_version", "updated_ms"), self._sealed)


_MADE = tuple(name for name in Made.__struct_fields__ if name != "original")
_BESIDE = ("licence_id", "version_no", "form", "state", "bulk", "created_ms", "changed_ms")
_PENDING = ("id", "kind", "subject", "data", "at_ms")
_HERE = (
    package.c.licence_id == bindparam("licence"),
    package.c.version_no == bindparam("version"),
    package.c.form == bindparam("asked"),
)
_TAKE = (
    update(package)
    .where(*_HERE)
    .values(
        state="claimed",
        fence=bindparam("holder"),
        tries=bindparam("attempt"),
        lease_ms=bindparam("lease"),
        changed_ms=bindparam("now"),
    )
)
_FINISH = (
    update(package)
    .where(*_HERE, package.c.fence == bindparam("holder"), package.c.state == "claimed")
    .values(
        state="packaged",
        detail="",
        form=bindparam("new_form"),
        changed_ms=bindparam("now"),
        **{name: bindparam(f"new_{name}") for name in _MADE},
    )
)


def _place(claim: Claim) -> dict[str, object]:
    """A claim's row and fence, for the statements above."""
    return {
        "licence": claim.licence_id,
        "version": claim.version_no,
        "asked": claim.form,
        "holder": claim.fence,
        "attempt": claim.tries,
    }


def _claimed(row: Row[Any], now_ms: int) -> Claim:
    return Claim(
        licence_id=row.licence_id,
        version_no=row.version_no,
        form=row.form,
        fence=row.fence + 1,
        tries=row.tries + 1,
        identifier=row.identifier,
        interface=row.interface,
        created_ms=row.created_ms,
        claimed_ms=now_ms,
    )


def _is(claim: Claim) -> Iterable[Any]:
    return (
        package.c.licence_id == claim.licence_id,
        package.c.version_no == claim.version_no,
        package.c.form == claim.form,
    )


def _columns(made: Made) -> dict[str, object]:
    values = msgspec.structs.asdict(made)
    del values["original"]  # said by the template that is not there
    return values


def _event(claim: Claim, form: str, made: Made) -> dict[str, object]:
    return {
        "licence": str(claim.licence_id),
        "version": claim.version_no,
        "form": form,
        "identifier": claim.identifier,
        "interface": claim.interface,
        "file_number": made.file_number,
        "digest": made.digest.hex(),
        "algorithm": made.algorithm,
        "key_id": made.key_id,
        "original": made.original,
    }
