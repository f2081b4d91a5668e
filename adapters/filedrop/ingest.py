"""Files handed over by name (``licence-hub ingest``): they take the way of a drop folder of their own."""

import os
import shutil
from pathlib import Path

from adapters.filedrop.drop import FileDrop
from adapters.filedrop.reading import FileIntake, Taken
from contracts.interface import Drop
from core.errors import Unavailable
from core.interfaces import LiveInterface
from core.store import Store


def ingest_folder(interface: str) -> str:
    """Where ingested files are kept, relative to the hub's data folder."""
    return f"ingest/{interface}"


class FileIngest:
    """Takes files in one by one; for one thread."""

    def __init__(self, live: LiveInterface, data: Path, *, store: Store, intake: FileIntake) -> None:
        drop = Drop(folder=ingest_folder(live.declaration.name), completion="rename")
        self._drop = FileDrop(
            live, drop, data, intake=intake, submissions=store.submissions, ledger=store.ledger
        )

    def take(self, file: Path) -> Taken:
        """Copies the file into the folder and reads it; returns when all of it is durable on the bus.

        Raises ``Unavailable`` when bus, store or disk are away: the copy stays and is taken up by the next ``take`` or run.
        """
        self._drop.folder.prepare()
        unfinished = self._drop.folder.path / f"{file.name}.part"
        with file.open("rb") as source, unfinished.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1024 * 1024)
            copy.flush()
            os.fsync(copy.fileno())
        unfinished.rename(unfinished.with_name(file.name))
        sweep = self._drop.sweep()
        mine = [taken for taken in sweep.taken if taken.submission.origin == file.name]
        if not mine:
            raise Unavailable(
                f"{file.name} could not be read now; it is kept and taken up again", retry_after_s=5
            )
        return mine[-1]

    def write_receipts(self) -> None:
        """Writes the receipt files that are due."""
        self._drop.sweep()
