"""Where a submission's file is kept once its claim is over."""

from pathlib import Path

from adapters.filedrop.folder import ARCHIVE, REFUSED, kept_name
from adapters.filedrop.ingest import ingest_folder
from contracts.interface import Interface
from core.errors import NotFound
from core.store.submissions import Submission


def kept_file(data: Path, interface: Interface, submission: Submission) -> Path:
    """The archived or refused file; raises ``NotFound`` when there is none any more (its retention has passed)."""
    name = kept_name(submission.id, submission.origin)
    folders = [ingest_folder(interface.name), *([interface.drop.folder] if interface.drop else [])]
    for folder in folders:
        for place in (ARCHIVE, REFUSED):
            kept = data / folder / place / name
            if kept.exists():
                return kept
    raise no_longer_kept(submission)


def no_longer_kept(submission: Submission) -> NotFound:
    """Says that the file of a submission is gone."""
    return NotFound(
        f"the file of submission {submission.id} is no longer in the archive",
        f"提交 {submission.id} 的文件已不在归档中",
    )
