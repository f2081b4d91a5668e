"""The dead letter channel of the embedded bus."""

from collections.abc import Sequence

from core.ports.bus import Channel, Parked
from router.bus.embedded.queuefile import Session, message

_COPIES = """
SELECT p.seq, c.id, c.headers, c.body, p.channel, p.reason, p.tries, p.parked_at_ms
FROM parked p JOIN content c ON c.seq = p.content WHERE p.seq > ? ORDER BY p.seq LIMIT ?
"""
_GROUP = 100


def parked(session: Session, limit: int, after: str) -> list[Parked]:
    """Parked copies, oldest first, from after the copy ``after``."""
    with session.read() as connection:
        rows = connection.execute(_COPIES, (int(after or 0), limit)).fetchall()
    return [
        Parked(
            id=str(seq),
            message=message(identity, headers, body),
            channel=Channel(channel),
            reason=reason,
            tries=tries,
            parked_at_ms=parked_at_ms,
        )
        for seq, identity, headers, body, channel, reason, tries, parked_at_ms in rows
    ]


def chosen(session: Session, ids: Sequence[str] | None, limit: int) -> list[int]:
    """Numbers of the copies meant: all up to ``limit``, oldest first, or those of ``ids`` that exist."""
    if ids is not None:
        return [int(identity) for identity in ids[:limit] if identity.isdecimal()]
    with session.read() as connection:
        rows = connection.execute("SELECT seq FROM parked ORDER BY seq LIMIT ?", (limit,)).fetchall()
    return [seq for (seq,) in rows]


def redrive(session: Session, seqs: Sequence[int], *, discard: bool) -> tuple[int, set[Channel]]:
    """Moves (or discards) parked copies, a group per transaction; how many, and the channels that got some."""
    moved = 0
    channels: set[Channel] = set()
    for start in range(0, len(seqs), _GROUP):
        with session.write() as connection:
            for seq in seqs[start : start + _GROUP]:
                row = connection.execute(
                    "DELETE FROM parked WHERE seq = ? RETURNING content, channel", (seq,)
                ).fetchone()
                if row is None:
                    continue
                moved += 1
                if discard:
                    connection.execute("DELETE FROM content WHERE seq = ?", row[:1])
                else:
                    connection.execute("INSERT INTO entry (seq, channel) VALUES (?, ?)", row)
                    channels.add(Channel(row[1]))
    return moved, channels
