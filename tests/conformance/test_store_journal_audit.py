"""The journal audit names the first place where history was edited, deleted, cut or forked."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core import merkle
from core.ports.signer import Algorithm
from core.service.journal_audit import Audit, JournalAudit
from core.store.engine import Database
from core.store.journal import JournalStore, SignedHead
from core.store.migrations import migrate

UNLOCK = "DROP TRIGGER {trigger}"


class HashSigner:
    key_id = "test"
    algorithm = Algorithm.ED25519
    certificate = b""
    chain = ()

    def sign(self, messages: object) -> list[bytes]:
        return [hashlib.sha256(message).digest() for message in messages]  # type: ignore[attr-defined]  # a list of bytes


def is_ours(signed: SignedHead, content: bytes) -> bool:
    return signed.signature == hashlib.sha256(content).digest()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[JournalStore]:
    database = Database(f"sqlite:///{tmp_path}/hub.db")
    migrate(database)
    store = JournalStore(database)
    for n in range(30):
        store.record("licence.version", str(n), {"n": n})
        if n % 10 == 9:
            store.sequence(1)
            store.sign_head(HashSigner())
    yield store
    database.close()


def audit(journal: JournalStore) -> Audit:
    return JournalAudit(journal, is_ours).run()


def tamper(journal: JournalStore, *statements: str) -> None:
    """What an administrator with full rights can do."""
    with journal._database.begin() as connection:
        triggers = (
            connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        )
        for trigger in triggers:
            connection.execute(text(UNLOCK.format(trigger=trigger)))
        for statement in statements:
            connection.execute(text(statement))


def test_an_untouched_journal_holds(journal: JournalStore) -> None:
    found = audit(journal)
    assert (found.size, found.checkpoints, found.fault) == (30, 3, "")
    assert found.root == journal.head().root.hex()


@pytest.mark.parametrize(
    "column", ["data = '{}'", "at_ms = 'x'", "leaf = 'x'", "kind = 7", "id = 'x'", "id = x'00'"]
)
def test_an_entry_with_values_of_another_kind_is_a_finding_and_no_failure(
    journal: JournalStore, column: str
) -> None:
    tamper(journal, f"UPDATE journal SET {column} WHERE number = 13")
    found = audit(journal)
    assert found.fault
    assert found.first_bad in (0, 13)  # values the driver cannot hand over hide what is read with them


@pytest.mark.parametrize("number", [0, 13, 29])
def test_an_edited_entry_is_named(journal: JournalStore, number: int) -> None:
    tamper(journal, f"UPDATE journal SET subject = 'x' WHERE number = {number}")
    assert audit(journal).first_bad == number


@pytest.mark.parametrize("number", [0, 13])
def test_a_deleted_entry_is_named(journal: JournalStore, number: int) -> None:
    tamper(journal, f"DELETE FROM journal WHERE number = {number}")
    assert audit(journal).first_bad == number


def test_swapped_entries_are_named(journal: JournalStore) -> None:
    tamper(
        journal,
        "UPDATE journal SET number = -1 WHERE number = 4",
        "UPDATE journal SET number = 4 WHERE number = 5",
        "UPDATE journal SET number = 5 WHERE number = -1",
    )
    assert audit(journal).first_bad == 4


def test_a_cut_tail_is_named_even_with_the_head_rewritten(journal: JournalStore) -> None:
    tamper(journal, "DELETE FROM journal WHERE number >= 25", "UPDATE journal_head SET size = 25")
    assert audit(journal).first_bad == 25


def test_an_entry_rewritten_together_with_its_leaf_is_caught_by_the_checkpoint(journal: JournalStore) -> None:
    row = next(row for batch in journal.rows() for row in batch if row.number == 13)
    leaf = merkle.leaf_hash(merkle.entry_content(13, row.id, row.kind, "forged", row.at_ms, row.data)).hex()
    tamper(journal, f"UPDATE journal SET subject = 'forged', leaf = x'{leaf}' WHERE number = 13")
    found = audit(journal)
    assert found.first_bad == 10
    assert "another history" in found.fault


def test_a_checkpoint_signed_by_somebody_else_is_refused(journal: JournalStore) -> None:
    def is_known(signed: SignedHead, _content: bytes) -> bool:
        return signed.size != 20

    found = JournalAudit(journal, is_known).run()
    assert found.first_bad == 10
    assert "signature" in found.fault
