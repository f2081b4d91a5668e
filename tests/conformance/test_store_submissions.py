"""Submissions that several readers have in hand: one suite over both databases."""

import hashlib

from core.store import Store


def test_a_reader_left_behind_changes_nothing_of_a_finished_submission(store: Store) -> None:
    opened = store.submissions.begin("food", "file", hashlib.sha256(b"file").digest(), origin="a.csv")
    store.submissions.finish(opened.id, "read", rows=5000, records=4990, skipped=10)
    finished = store.submissions.get(opened.id)
    store.submissions.progress(opened.id, rows=2000, records=1995, skipped=5)
    assert store.submissions.get(opened.id) == finished
