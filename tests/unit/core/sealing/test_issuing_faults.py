"""Authorities, their keys and seals after an attempt that failed half-way: the next one succeeds."""

import fcntl
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from core.durable import put_file
from core.errors import ConfigError, Refused
from core.packaging.typeface import FONTS, SHIPPED_FONT
from core.ports.signer import Algorithm
from core.sealing.authority import (
    Authority,
    DevelopmentAuthorities,
    complete_development_authorities,
    create_authority,
    create_development_authorities,
    load_authority,
)
from core.sealing.certificates import Purpose
from core.sealing.picture import SealText
from core.sealing.seal import Seal
from core.sealing.store import SealStore
from core.sealing.succession import Succession
from core.service.seals import NewSeal, create_seal
from disk_material import full_disk, names

EC = Algorithm.ECDSA_P256_SHA256


def wherever_it_fails(tmp_path: Path, attempt: Callable[[Path], object]) -> Iterator[Path]:
    """A folder for every flush of ``attempt``, which failed there."""
    for after in count():
        folder = tmp_path / str(after)
        folder.mkdir(parents=True)
        try:
            with full_disk(after):
                attempt(folder)
        except OSError:
            yield folder
        else:
            assert after > 2, "nothing was flushed"
            return


def copied(template: Path, folder: Path) -> Path:
    return shutil.copytree(template, folder, dirs_exist_ok=True)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = create_authority(tmp_path / "ca", EC)
    made.issue("journal", Purpose.JOURNAL)
    return made


def test_the_authorities_are_completed_wherever_the_first_attempt_ended(tmp_path: Path) -> None:
    def make(folder: Path) -> DevelopmentAuthorities:
        return create_development_authorities(folder, seal_algorithm=EC)

    for folder in wherever_it_fails(tmp_path, make):
        kept = {file: file.read_bytes() for file in folder.rglob("*.crt")}
        with suppress(Refused):  # where only the last folder was not flushed, all is there
            make(folder)
        assert all(file.read_bytes() == content for file, content in kept.items())
        made = complete_development_authorities(folder)
        for of, issued in (
            (made.seals, ("seal-maker", "seal-signer")),
            (made.documents, ("pdf-signer", "journal")),
        ):
            assert load_authority(of.folder).root.key_id == of.root.key_id
            assert all(of.signer(name).certificate for name in issued)
        private = [file for file in folder.rglob("*") if file.suffix == ".key"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}
        with pytest.raises(Refused, match="already holds"):
            make(folder)


def test_an_authority_that_is_complete_stays_as_it_is(tmp_path: Path) -> None:
    made = create_development_authorities(tmp_path, seal_algorithm=EC)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.*")}
    (tmp_path / "documents" / "pdf-signer.key").unlink()  # put away after a renewal
    again = complete_development_authorities(tmp_path)
    assert tuple(again.roots) == tuple(made.roots)
    del before[tmp_path / "documents" / "pdf-signer.key"]
    assert {file: file.read_bytes() for file in tmp_path.rglob("*.*")} == before


def test_an_unreadable_root_is_told_and_not_replaced(tmp_path: Path) -> None:
    create_development_authorities(tmp_path, seal_algorithm=EC)
    (tmp_path / "seals" / "root.crt").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"root\.crt"):
        complete_development_authorities(tmp_path)


def test_a_key_is_renewed_wherever_the_first_attempt_ended(tmp_path: Path) -> None:
    def prepared(folder: Path) -> tuple[Authority, Succession]:
        if not (folder / "root.crt").exists():
            create_authority(folder, EC).issue("journal", Purpose.JOURNAL)
        return load_authority(folder), Succession(folder, "journal")

    for after in range(4):
        authority, keys = prepared(tmp_path / str(after))
        with full_disk(after), pytest.raises(OSError, match="No space"):
            keys.renew(authority, Purpose.JOURNAL, "next")
        in_use = keys.signer()  # whatever the failure left can sign
        assert len(keys.names()) == (1 if after < 3 else 2)
        renewed = keys.renew(authority, Purpose.JOURNAL, "next")
        assert keys.signer().key_id == renewed.key_id != in_use.key_id


def test_a_key_without_its_certificate_counts_as_nothing(authority: Authority) -> None:
    (authority.folder / "journal-2.key").write_bytes(b"")
    keys = Succession(authority.folder, "journal")
    assert keys.renew(authority, Purpose.JOURNAL, "next").key_id == keys.signer().key_id
    assert stat.S_IMODE((authority.folder / "journal-2.key").stat().st_mode) == 0o600


def test_what_was_issued_is_never_replaced(authority: Authority) -> None:
    before = {file: file.read_bytes() for file in authority.folder.iterdir()}
    with pytest.raises(FileExistsError, match=r"journal\.crt"):
        authority.issue("journal", Purpose.JOURNAL)
    assert {file: file.read_bytes() for file in authority.folder.iterdir()} == before


def test_nobody_else_issues_between_a_key_and_its_certificate(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked: list[str] = []

    def watched(file: Path, data: bytes, **options: object) -> None:
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            locked.append(file.name)
        finally:
            os.close(folder)
        put_file(file, data, **options)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr("core.sealing.authority.put_file", watched)
    authority.issue("journal-2", Purpose.JOURNAL)
    assert locked == ["journal-2.key", "journal-2.crt"]


def test_a_seal_is_made_wherever_the_first_attempt_ended(tmp_path: Path) -> None:
    def make(folder: Path) -> Seal:
        made = complete_development_authorities(folder / "authority", seal_algorithm=EC)
        store = SealStore(folder / "seals")
        wanted = NewSeal(name="city", text=SealText("示范市", "专用章"))
        create_seal(store, made.seals, wanted, FONTS / SHIPPED_FONT, datetime.now(UTC).replace(microsecond=0))
        return store.open("city")

    template = tmp_path / "template"
    complete_development_authorities(template / "authority", seal_algorithm=EC)
    for folder in wherever_it_fails(tmp_path / "runs", lambda folder: make(copied(template, folder))):
        store = SealStore(folder / "seals")
        made = store.open("city") if store.names() else make(folder)
        assert made.signer.certificate in made.ses.info.certificates
        assert names(folder / "seals") == ["city"]
        with pytest.raises(Refused, match="already"):
            make(folder)
