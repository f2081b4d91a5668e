"""Competing consumers on the embedded bus: claims under a lease, settlements, and what the dead leave behind."""

import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import msgspec

from core.errors import TransientError, Unroutable
from core.ports.bus import Ack, Channel, Delivery, Park, Retry, Settlement
from router.bus.embedded.holder import Holder, bury, dead
from router.bus.embedded.queuefile import QueueFile, Session, message

LOGGER = logging.getLogger(__name__)

LEASE_S = 60.0
"""How long a message stays in the hands of a live process that forgot it; ``extend`` renews it."""
DELIVERY_LIMIT = 20
"""Times a message may be handed out without being settled; then it is parked: it kills its consumers."""
POLL_S = 0.1
"""How often to look for what other processes published, and for delays that have ended."""
_FUNERAL_S = 1.0
_PAY_AGAIN_S = 1.0
_KEPT_PAGES = 4096
"""Free pages the file keeps for the next burst (16 MB)."""
_RECLAIMED_PAGES = 512
_GONE_REASON = f"delivery-limit: handed out {DELIVERY_LIMIT} times without being settled"

_SOMETHING = """
SELECT EXISTS (SELECT 1 FROM entry WHERE channel = ? AND due_ms IS NULL)
    OR EXISTS (SELECT 1 FROM entry WHERE due_ms <= ?)
"""
_CLAIM = """
UPDATE entry SET due_ms = ?, holder = ?, handed = handed + 1
WHERE seq IN (SELECT seq FROM entry WHERE channel = ? AND due_ms IS NULL ORDER BY seq LIMIT ?)
RETURNING seq, tries, handed
"""
_RETRY = (
    "UPDATE entry SET due_ms = ?, holder = NULL, handed = 0, tries = tries + 1 WHERE seq = ? AND holder = ?"
)
_PARK = """
INSERT INTO parked (content, channel, tries, reason, parked_at_ms)
SELECT seq, channel, tries, ?, ? FROM entry WHERE seq = ? AND holder = ?
"""


def now_ms() -> int:
    """Unix milliseconds: delays must outlive a restart of the machine."""
    return time.time_ns() // 1_000_000


class EmbeddedConsumer:
    """One competing consumer; used from one thread."""

    def __init__(
        self,
        file: QueueFile,
        channel: Channel,
        prefetch: int,
        *,
        lease_s: float = LEASE_S,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._file = file
        self._channel = channel
        self._prefetch = prefetch
        self._lease_ms = int(lease_s * 1000)
        self._clock = clock
        self._session: Session = file.session(durable=False)
        self._holders = file.path.with_name(file.path.name + ".holders")
        self._holder = Holder(self._holders)
        self._in_hand: set[int] = set()
        self._owed: list[tuple[Delivery, Settlement]] = []
        self._pay_from = 0.0
        self._next_funeral = 0.0
        self._closed = False

    def receive(self, limit: int, wait_s: float) -> list[Delivery]:
        deadline = time.monotonic() + wait_s
        while True:
            heard = self._file.shared.doorbell.rings(self._channel)
            found = self._try_to_claim(limit)
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            self._file.shared.doorbell.wait(self._channel, heard, min(left, POLL_S))

    def settle(self, settled: Sequence[tuple[Delivery, Settlement]]) -> None:
        self._in_hand.difference_update(delivery.tag for delivery, _ in settled)
        self._owed.extend(settled)
        self._pay()

    def extend(self, deliveries: Sequence[Delivery]) -> None:
        until = self._clock() + self._lease_ms
        rows = [(until, delivery.tag, self._holder.name) for delivery in deliveries]
        try:
            with self._session.write() as connection:
                connection.executemany("UPDATE entry SET due_ms = ? WHERE seq = ? AND holder = ?", rows)
        except (TransientError, Unroutable) as error:
            LOGGER.warning("leases on %s were not renewed: %s", self._channel, error)

    def close(self) -> None:
        """Hands back what is still in hand."""
        if self._closed:
            return
        self._closed = True
        try:
            self._pay()
            self._free([self._holder.name])
        except (TransientError, Unroutable) as error:
            LOGGER.warning("messages of %s come back when their lease ends: %s", self._channel, error)
        self._session.close()
        self._holder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _try_to_claim(self, limit: int) -> list[Delivery]:
        wanted = min(limit, self._prefetch - len(self._in_hand))
        try:
            if time.monotonic() >= self._pay_from:
                self._pay()
            self._bury_the_dead()
            if wanted <= 0 or not self._something_is_due():
                return []
            return self._claim(wanted)
        except (TransientError, Unroutable) as error:
            LOGGER.warning("nothing received from %s: %s", self._channel, error)
            return []

    def _something_is_due(self) -> bool:
        with self._session.read() as connection:
            (found,) = connection.execute(_SOMETHING, (self._channel.value, self._clock())).fetchone()
            (free_pages,) = connection.execute("PRAGMA freelist_count").fetchone()
        if not found and free_pages > _KEPT_PAGES:
            self._session.reclaim(_RECLAIMED_PAGES)  # idle: a former backlog's pages, a few at a time
        return bool(found)

    def _claim(self, wanted: int) -> list[Delivery]:
        now = self._clock()
        with self._session.write() as connection:
            connection.execute("UPDATE entry SET due_ms = NULL, holder = NULL WHERE due_ms <= ?", (now,))
            claim = (now + self._lease_ms, self._holder.name, self._channel.value, wanted)
            claimed = {
                seq: (tries, handed) for seq, tries, handed in connection.execute(_CLAIM, claim).fetchall()
            }
            fatal = [seq for seq, (_, handed) in claimed.items() if handed > DELIVERY_LIMIT]
            for seq in fatal:
                self._park(connection, seq, _GONE_REASON)
                del claimed[seq]
            rows = connection.execute(
                "SELECT seq, id, headers, body FROM content WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq",
                (msgspec.json.encode(list(claimed)).decode(),),
            ).fetchall()
        self._in_hand.update(claimed)
        return [
            Delivery(
                message=message(identity, headers, body),
                channel=self._channel,
                tries=claimed[seq][0],
                redelivered=claimed[seq][1] > 1,
                tag=seq,
            )
            for seq, identity, headers, body in rows
        ]

    def _pay(self) -> None:
        """Writes the settlements that are still owed; those of leases that went to others in the meantime change nothing."""
        if not self._owed:
            return
        try:
            with self._session.write() as connection:
                for delivery, settlement in self._owed:
                    self._settle_one(connection, delivery.tag, settlement)
        except (TransientError, Unroutable) as error:
            LOGGER.warning("%d settlements on %s are held back: %s", len(self._owed), self._channel, error)
            self._pay_from = time.monotonic() + _PAY_AGAIN_S
            return
        self._owed.clear()

    def _settle_one(self, connection: sqlite3.Connection, seq: int, settlement: Settlement) -> None:
        match settlement:
            case Ack():
                if self._remove(connection, seq):
                    connection.execute("DELETE FROM content WHERE seq = ?", (seq,))
            case Retry(delay_s=delay_s):
                due = self._clock() + int(delay_s * 1000)
                connection.execute(_RETRY, (due, seq, self._holder.name))
            case Park(reason=reason):
                self._park(connection, seq, reason)

    def _remove(self, connection: sqlite3.Connection, seq: int) -> bool:
        removed = connection.execute(
            "DELETE FROM entry WHERE seq = ? AND holder = ?", (seq, self._holder.name)
        )
        return removed.rowcount == 1

    def _park(self, connection: sqlite3.Connection, seq: int, reason: str) -> None:
        connection.execute(_PARK, (reason, self._clock(), seq, self._holder.name))
        self._remove(connection, seq)

    def _bury_the_dead(self) -> None:
        if time.monotonic() < self._next_funeral:
            return
        self._next_funeral = time.monotonic() + _FUNERAL_S
        gone = dead(self._holders)
        if gone:
            self._free(gone)
            for name in gone:
                bury(self._holders, name)

    def _free(self, holders: Sequence[str]) -> None:
        with self._session.write() as connection:
            connection.executemany(
                "UPDATE entry SET due_ms = NULL, holder = NULL WHERE holder = ?",
                [(name,) for name in holders],
            )
