"""The state of every package: pending, claimed under a lease and fence, packaged, or why not.

A package row is written with the version it belongs to; this module only moves its state. A package is present if and only if its
row says ``packaged``: the bytes are put first, the row last, in one transaction with the journal entry.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, and_, func, insert, or_, select, tuple_, update

from core.errors import FenceLost
from core.store.engine import Database
from core.store.journal import pend
from core.store.leases import database_now_ms
from core.store.tables import licence, licence_version, package

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
            return [self._take(connection, row, now_ms + int(lease_s * 1000), now_ms) for row in rows]

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
            return [
                _key(claim) in ours and self._record(connection, claim, made, heads[claim.licence_id], now_ms)
                for claim, made in finished
            ]

    def _record(
        self, connection: Connection, claim: Claim, made: Mapping[str, Made], head: Any, now_ms: int
    ) -> bool:
        if head.current_version != claim.version_no or head.status != "valid":
            detail = f"current version {head.current_version}, {head.status}"
            self._set(connection, claim, now_ms, state="superseded", detail=detail)
            return False
        for form, package_made in made.items():
            values = {"state": "packaged", "detail": "", **msgspec.structs.asdict(package_made)}
            if form == claim.form:
                self._set(connection, claim, now_ms, **values)
            else:
                connection.execute(insert(package).values(**_beside(claim, form, now_ms), **values))
            pend(
                connection,
                "licence.packaged",
                str(claim.licence_id),
                _event(claim, form, package_made),
                now_ms,
            )
        head_row = update(licence).where(licence.c.id == claim.licence_id)
        connection.execute(head_row.values(sealed_version=claim.version_no, updated_ms=now_ms))
        return True

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

    def release_held(self, state: str) -> int:
        """Makes held packages wait again (a font was extended, a defect mended)."""
        with self._database.begin() as connection:
            now_ms = database_now_ms(connection)
            held = update(package).where(package.c.state == state)
            return connection.execute(
                held.values(state="pending", detail="", tries=0, changed_ms=now_ms)
            ).rowcount

    def get(self, licence_id: UUID, version_no: int, form: str = "ofd") -> PackageView | None:
        """One package's row."""
        here = and_(
            package.c.licence_id == licence_id, package.c.version_no == version_no, package.c.form == form
        )
        with self._database.read() as connection:
            row = connection.execute(select(*_VIEW).where(here)).first()
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
    def _take(connection: Connection, row: Row[Any], lease_ms: int, now_ms: int) -> Claim:
        claim = Claim(
            licence_id=row.licence_id,
            version_no=row.version_no,
            form=row.form,
            fence=row.fence + 1,
            tries=row.tries + 1,
            identifier=row.identifier,
            interface=row.interface,
            created_ms=row.created_ms,
        )
        taken = (
            update(package)
            .where(*_is(claim))
            .values(
                state="claimed", fence=claim.fence, tries=claim.tries, lease_ms=lease_ms, changed_ms=now_ms
            )
        )
        connection.execute(taken)
        return claim

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
    """The licences, locked in order of id, as every writer locks them."""
    columns = (licence.c.id, licence.c.current_version, licence.c.status)
    heads = select(*columns).where(licence.c.id.in_(ids)).order_by(licence.c.id).with_for_update()
    return {row.id: row for row in connection.execute(heads)}


def _still_ours(connection: Connection, claims: Sequence[Claim]) -> set[tuple[UUID, int, str]]:
    """Keys of the claims that have not lapsed into another worker's hands."""
    fences = {_key(claim): claim.fence for claim in claims}
    columns = (package.c.licence_id, package.c.version_no, package.c.form, package.c.fence)
    ids = package.c.licence_id.in_([claim.licence_id for claim in claims])
    rows = connection.execute(select(*columns).where(ids, package.c.state == "claimed"))
    return {(row[0], row[1], row[2]) for row in rows if fences.get((row[0], row[1], row[2])) == row[3]}


def _beside(claim: Claim, form: str, now_ms: int) -> dict[str, object]:
    """What the row of a further form has in common with the claimed one."""
    return {
        "licence_id": claim.licence_id,
        "version_no": claim.version_no,
        "form": form,
        "bulk": False,
        "created_ms": claim.created_ms,
        "changed_ms": now_ms,
    }


def _is(claim: Claim) -> Iterable[Any]:
    return (
        package.c.licence_id == claim.licence_id,
        package.c.version_no == claim.version_no,
        package.c.form == claim.form,
    )


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
    }
