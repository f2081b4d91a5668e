"""Files handed over by name (``licence-hub ingest``): each is copied into a claim of its own in a drop folder of their own."""

from pathlib import Path

from adapters.filedrop.drop import FileDrop
from adapters.filedrop.folder import origin_of
from adapters.filedrop.reading import FileIntake, Taken
from contracts.interface import Drop
from core.errors import Unavailable
from core.interfaces import LiveInterface
from core.store import Store

_HALF_COPIES = "*.licence-hub-copy"
"""What an older release leaves in the folder when it is killed while it copies."""


def ingest_folder(interface: str) -> str:
    """Where ingested files are kept, relative to the hub's data folder."""
    return f"ingest/{interface}"


class FileIngest:
    """Takes files in one by one; for one thread."""

    def __init__(self, live: LiveInterface, data: Path, *, store: Store, intake: FileIntake) -> None:
        drop = Drop(
            folder=ingest_folder(live.declaration.name), completion="rename", temporary=(_HALF_COPIES,)
        )
        self._drop = FileDrop(
            live,
            drop,
            data,
            intake=intake,
            submissions=store.submissions,
            ledger=store.ledger,
            keyring=store.keyring,
        )

    def take(self, file: Path) -> Taken:
        """Reads a copy of the file; returns when all of it is durable on the bus. Then what others left is taken up.

        Raises ``Unavailable`` when the disk is too full for a copy, or when bus, store or disk are away: the copy stays and is
        taken up by a later ``take`` or run. Raises ``OSError`` when the file cannot be copied.
        """
        origin = origin_of(file.name)
        self._drop.folder.prepare()
        if not self._drop.has_room():
            raise Unavailable(
                f"{origin} was not copied: too little space is left on the disk of the data folder",
                retry_after_s=60,
                summary_zh=f"{origin} 未导入：数据目录所在磁盘空间不足",
            )
        taken = self._drop.take_copy(file)
        if taken is None:
            raise Unavailable(
                f"{origin} could not be read now; it is kept and taken up again",
                retry_after_s=5,
                summary_zh=f"{origin} 暂时无法读取；文件已保留，稍后自动重试",
            )
        self._drop.sweep()
        return taken

    def write_receipts(self) -> None:
        """Writes the receipt files that are due."""
        self._drop.sweep()
