"""Guard, registry, submissions, ledger, blobs, manifests and queries: one suite over both databases."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Table, delete, update

from contracts.identity import uuid7
from contracts.outcome import Outcome
from contracts.record import Holder, Status
from core.errors import ConfigError, InternalError, NotFound, Refused
from core.keyring import Keyring, new_master, parse_master
from core.store import Store, tables
from core.store import guard as guards
from core.store.blobs import BlobStore
from core.store.guard import GuardRequest
from core.store.keys import StoredKeys
from core.store.licences import LicenceQuery
from store_material import MASTER, candidate, ended, licence_id_of, outcomes, refused

CITIZEN = "11010519491231002X"


def ask(
    nonce: str = "", key: str | None = None, body: bytes = b"b", now_ms: int = 1000, client: str = "c"
) -> GuardRequest:
    return GuardRequest(
        client=client, nonce=nonce, interface="food", key=key, body_digest=body, now_ms=now_ms
    )


def verdicts(store: Store, *requests: GuardRequest) -> list[tuple[str, int, bool]]:
    return [(a.verdict, a.first_seen_ms, a.repeated) for a in store.guard.admit(requests)]


def test_a_nonce_is_admitted_once_per_client(store: Store) -> None:
    assert verdicts(store, ask("n"), ask("n"), ask("n", client="d"), ask(), ask()) == [
        ("admitted", 1000, False),
        ("nonce-seen", 1000, False),
        ("admitted", 1000, False),
        ("admitted", 1000, False),
        ("admitted", 1000, False),
    ]
    assert verdicts(store, ask("n", now_ms=2000)) == [("nonce-seen", 2000, False)]


def test_a_key_with_the_same_body_is_repeated_from_its_first_time_and_another_body_conflicts(
    store: Store,
) -> None:
    assert verdicts(store, ask("1", "k"), ask("2", "k", now_ms=1500), ask("3", "k", b"x", now_ms=1600)) == [
        ("admitted", 1000, False),
        ("admitted", 1000, True),
        ("key-conflict", 1000, False),
    ]
    assert verdicts(store, ask("4", "k", now_ms=2000), ask("5", "k", b"x", now_ms=2000)) == [
        ("admitted", 1000, True),
        ("key-conflict", 1000, False),
    ]


def test_a_key_that_is_purged_while_it_is_asked_for_is_new_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verdicts(store, ask("1", "k")) == [("admitted", 1000, False)]
    insert = guards._insert_new
    purged: list[int] = []

    def purging(connection: Connection, table: Table, *rest: Any) -> Any:
        inserted = insert(connection, table, *rest)
        if table.name == "guard_key" and not purged:
            purged.append(connection.execute(delete(tables.guard_key)).rowcount)
        return inserted

    monkeypatch.setattr(guards, "_insert_new", purging)
    assert verdicts(store, ask("2", "k", now_ms=9000)) == [("admitted", 9000, False)]
    assert purged == [1]


def test_a_request_with_a_seen_nonce_leaves_no_key(store: Store) -> None:
    assert verdicts(store, ask("n"), ask("n", "k")) == [
        ("admitted", 1000, False),
        ("nonce-seen", 1000, False),
    ]
    assert verdicts(store, ask("m", "k", b"other", now_ms=3000)) == [("admitted", 3000, False)]


def test_eight_gateways_admit_a_nonce_once_and_agree_on_a_key(store: Store) -> None:
    barrier = threading.Barrier(8)

    def gateway(number: int) -> list[tuple[str, int, bool]]:
        barrier.wait()
        return verdicts(store, *(ask(f"n{i}", "k", now_ms=number + 1) for i in range(20)))

    with ThreadPoolExecutor(8) as pool:
        answers = [answer for answers in pool.map(gateway, range(8)) for answer in answers]
    admitted = [answer for answer in answers if answer[0] == "admitted"]
    assert len(admitted) == 20
    assert len({answer[1] for answer in admitted}) == 1
    assert sum(not answer[2] for answer in admitted) == 1


def test_what_the_guard_forgot_is_admitted_again(store: Store) -> None:
    verdicts(store, ask("n", "k"))
    assert store.guard.purge(nonces_before_ms=1001, keys_before_ms=1000) == 1
    assert store.guard.purge(1001, 1001) == 1
    assert verdicts(store, ask("n", "k", b"x")) == [("admitted", 1000, False)]


def test_a_declaration_has_a_new_revision_only_when_it_changed(store: Store) -> None:
    first = store.registry.apply("interface", "food", {"a": 1, "b": 2}, "ann")
    again = store.registry.apply("interface", "food", {"b": 2, "a": 1}, "ann")
    changed = store.registry.apply("interface", "food", {"a": 1}, "bob")
    assert (first.revision, again.revision, changed.revision, store.registry.revision()) == (1, 1, 2, 2)
    assert (first.state, changed.state) == ("registered", "registered")
    assert [(v.revision, v.actor) for v in store.registry.history("interface", "food")] == [
        (1, "ann"),
        (2, "bob"),
    ]
    assert store.registry.at("interface", "food", 1).declaration == {"a": 1, "b": 2}
    assert store.registry.at("interface", "food", 3).declaration == {"a": 1}
    store.registry.apply("interface", "food", {"a": 3}, "bob")
    assert store.registry.at("interface", "food", 3).declaration == {"a": 3}


def test_states_follow_the_lifecycle(store: Store) -> None:
    store.registry.apply("interface", "food", {}, "ann")
    assert store.registry.set_state("interface", "food", "enabled", "ann").revision == 2
    assert store.registry.set_state("interface", "food", "enabled", "ann").revision == 2
    with pytest.raises(Refused, match="cannot become draft"):
        store.registry.set_state("interface", "food", "draft", "ann")
    store.registry.set_state("interface", "food", "retired", "ann")
    with pytest.raises(Refused, match="retired"):
        store.registry.apply("interface", "food", {"new": True}, "ann")
    assert store.registry.revision() == 3


def test_a_snapshot_holds_everything_under_one_revision(store: Store) -> None:
    store.registry.apply("interface", "food", {"x": 1}, "ann")
    store.registry.apply("licence-type", "T", {"y": 2}, "ann")
    snapshot = store.registry.snapshot()
    found = snapshot.find("licence-type", "T")
    assert snapshot.revision == 2
    assert found is not None
    assert (found.declaration, found.state) == ({"y": 2}, "enabled")
    assert [entry.name for entry in store.registry.list("interface")] == ["food"]


def test_what_is_not_registered_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.registry.show("interface", "none")
    with pytest.raises(NotFound):
        store.registry.at("interface", "none", 1)
    with pytest.raises(NotFound):
        store.registry.set_state("interface", "none", "enabled", "ann")
    assert store.registry.revision() == 0


def test_parallel_changes_of_the_registry_get_distinct_revisions(store: Store) -> None:
    def apply(number: int) -> int:
        return store.registry.apply("interface", f"i{number}", {}, "ann").revision

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(apply, range(16))) == list(range(1, 17))
    assert store.registry.revision() == 16


def test_a_submission_is_found_by_its_content_and_by_its_file(store: Store) -> None:
    digest = hashlib.sha256(b"file").digest()
    opened = store.submissions.begin(
        "food", "file", digest, origin="a.csv", size_bytes=4, detail={"archive": "x"}
    )
    store.submissions.progress(opened.id, rows=10, records=8, skipped=1)
    assert store.submissions.get(opened.id).records == 8
    store.submissions.finish(opened.id, "read", rows=20, records=18, skipped=2, detail={"took": 3})
    found = store.submissions.same_file("food", "a.csv", 4, digest)
    assert found is not None
    assert (found.id, found.state, found.rows, found.detail) == (
        opened.id,
        "read",
        20,
        {"archive": "x", "took": 3},
    )
    assert store.submissions.same_file("food", "b.csv", 4, digest) is None
    assert [s.id for s in store.submissions.same_content("food", digest)] == [opened.id]
    assert [s.id for s in store.submissions.recent("food")] == [opened.id]
    with pytest.raises(NotFound):
        store.submissions.get(uuid7())


def test_ledger_pages_are_in_order_of_intake_and_cover_every_row_once(store: Store) -> None:
    batch = [candidate(f"A-{n}", position=n) for n in range(5)] + [
        refused(Outcome.REJECTED, interface="other")
    ]
    outcomes(store, batch)
    seen: list[UUID] = []
    while page := store.ledger.page(after=seen[-1] if seen else None, limit=2):
        seen += [row.receipt for row in page]
    assert seen == sorted(one.receipt for one in batch)
    assert [row.outcome for row in store.ledger.page(interface="other")] == [Outcome.REJECTED]
    assert len(store.ledger.page(outcome=Outcome.NEW)) == 5
    assert len(store.ledger.page(submission=batch[0].submission)) == 6
    assert store.ledger.page(since_ms=4_000_000_000_000) == []
    assert store.ledger.totals(interface="food") == {Outcome.NEW: 5}
    assert set(store.ledger.outcomes([batch[0].receipt, uuid7()])) == {batch[0].receipt}


def test_the_rows_of_a_submission_come_in_their_order_with_each_replay_beside_its_first_reading(
    store: Store,
) -> None:
    submission = uuid7()
    batch = [refused(Outcome.REJECTED, submission=submission, position=n) for n in (2, 0, 3, 1, 1)]
    outcomes(store, [*batch, refused(Outcome.REJECTED, submission=uuid7(), position=1)])
    seen: list[Any] = []
    while page := store.ledger.page(submission=submission, after=seen[-1].receipt if seen else None, limit=2):
        seen += page
    assert [row.position for row in seen] == [0, 1, 1, 2, 3]
    assert {row.receipt for row in seen} == {one.receipt for one in batch}
    with pytest.raises(NotFound):
        store.ledger.page(submission=submission, after=uuid7())


def test_a_pending_receipt_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.ledger.entry(uuid7())
    with pytest.raises(NotFound):
        store.ledger.raw_of(uuid7())


def test_a_blob_is_kept_once_under_its_digest_and_an_altered_one_is_noticed(store: Store) -> None:
    digest = store.blobs.put(b"content", "text/plain")
    assert (store.blobs.put(b"content", "text/plain"), store.blobs.get(digest)) == (digest, b"content")
    assert store.blobs.media(digest) == "text/plain"
    with store.database.begin() as connection:
        connection.execute(update(tables.blob).values(content=store.keyring.encrypt(b"other", b"elsewhere")))
    with pytest.raises(InternalError):
        store.blobs.get(digest)
    with pytest.raises(NotFound):
        store.blobs.get(bytes(32))


def test_after_a_rotation_of_the_master_everything_opens_with_the_new_one_only(store: Store) -> None:
    digest = store.blobs.put(b"content", "text/plain")
    fresh = parse_master(new_master())
    assert store.keyring.rewrap(fresh) == 3
    assert BlobStore(store.database, Keyring(fresh, StoredKeys(store.database))).get(digest) == b"content"
    with pytest.raises(ConfigError):
        Keyring(MASTER, StoredKeys(store.database))


def test_a_manifest_shows_what_the_ledger_does_not_have(store: Store) -> None:
    batch = [candidate(f"A-{n}") for n in range(3)]
    store.manifests.add("gateway-1", [one.receipt for one in batch], 1000)
    outcomes(store, batch[:2])
    (noted,) = store.manifests.unreconciled(2000)
    assert store.manifests.reconcile(noted, 3000) == [batch[2].receipt]
    assert store.manifests.missing() == 1
    outcomes(store, batch)
    assert store.manifests.reconcile(noted, 4000) == []
    assert (store.manifests.unreconciled(5000), store.manifests.missing()) == ([], 0)


def seal(store: Store, number: str) -> None:
    licence = licence_id_of(store, number)
    with store.database.begin() as connection:
        change = update(tables.licence).where(tables.licence.c.id == licence)
        connection.execute(change.values(sealed_version=tables.licence.c.current_version))


def numbers(store: Store, **query: object) -> list[str]:
    asked = LicenceQuery(**{"scope": "management", **query})  # type: ignore[arg-type]  # keyword by keyword from the table
    return sorted(view.licence_number for view in store.licences.find(asked).licences)


def person(number: str, code: str = CITIZEN, **fields: object) -> dict[str, object]:
    return {"holders": (Holder(name=f"张{number}", code=code, code_type="111"),), **fields}


def test_licences_are_found_by_each_of_their_marks(store: Store) -> None:
    outcomes(
        store,
        [
            candidate("A-1"),
            candidate(
                "B（2）",
                fields=person("三", region="310000", issued_on=date(2025, 2, 2)),
                department="民政局",
            ),
            ended("C-3", fields={"issuer_code": "11430000006122244L", "issuer_name": "湖南"}),
        ],
    )
    assert numbers(store, number="b(2)") == ["B（2）"]
    assert numbers(store, holder_code=CITIZEN.lower()) == ["B（2）"]
    assert numbers(store, holder_name="张") == ["B（2）"]
    assert numbers(store, holder_name="三") == []
    assert numbers(store, holder_name="*三") == ["B（2）"]
    assert numbers(store, holder_name="%") == numbers(store, text="_") == []
    assert numbers(store, region="31") == numbers(store, region="310000") == ["B（2）"]
    assert numbers(store, department="民政局") == ["B（2）"]
    assert numbers(store, status=Status.EXPIRED) == ["C-3"]
    assert numbers(store, issuer_code="11430000006122244L") == ["C-3"]
    assert numbers(store, issued_from=date(2025, 2, 2), issued_to=date(2025, 2, 2)) == ["B（2）"]
    assert numbers(store, text="湖南") == ["C-3"]
    assert numbers(store, text="食品", region="22") == ["A-1", "C-3"]
    assert numbers(store, identifier=store.licences.get(licence_id_of(store, "A-1")).identifier) == ["A-1"]
    assert numbers(store) == ["A-1", "B（2）", "C-3"]


def test_sharing_sees_only_what_is_current_valid_and_sealed(store: Store) -> None:
    outcomes(store, [candidate("A-1"), ended("B-1"), candidate("C-1")])
    for number in ("A-1", "B-1"):
        seal(store, number)
    assert numbers(store, scope="sharing") == ["A-1"]
    outcomes(store, [candidate("A-1", order="2", note="b")])
    assert numbers(store, scope="sharing") == []
    with pytest.raises(NotFound):
        store.licences.get(licence_id_of(store, "A-1"), scope="sharing")
    seal(store, "A-1")
    assert store.licences.get(licence_id_of(store, "A-1"), scope="sharing").version_no == 2


def test_a_former_holder_finds_the_licence_in_management_only(store: Store) -> None:
    outcomes(store, [candidate("A-1", fields=person("三"))])
    seal(store, "A-1")
    assert numbers(store, scope="sharing", holder_code=CITIZEN) == ["A-1"]
    other = "110101199003070011"
    outcomes(store, [candidate("A-1", order="2", fields=person("四", other))])
    seal(store, "A-1")
    assert numbers(store, scope="sharing", holder_code=CITIZEN) == []
    assert (
        numbers(store, scope="sharing", holder_code=other) == numbers(store, holder_code=CITIZEN) == ["A-1"]
    )


def test_pages_follow_each_other_while_licences_arrive(store: Store) -> None:
    outcomes(store, [candidate(f"A-{n}") for n in range(7)])
    first = store.licences.find(LicenceQuery(scope="management"), limit=3)
    outcomes(store, [candidate("B-1")])
    second = store.licences.find(LicenceQuery(scope="management"), first.next, 3)
    third = store.licences.find(LicenceQuery(scope="management"), second.next, 3)
    found = [view.licence_number for page in (first, second, third) for view in page.licences]
    assert sorted(found) == [f"A-{n}" for n in range(7)]
    assert third.next == ""


@pytest.mark.parametrize("cursor", ["x", "!!", "AAAA", "é"])
def test_a_cursor_that_was_never_given_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(Refused):
        store.licences.find(LicenceQuery(), cursor)


def test_the_library_answers_verification_for_any_version(store: Store) -> None:
    outcomes(store, [candidate("A-1", note="a")])
    first = store.licences.get(licence_id_of(store, "A-1")).identifier
    outcomes(store, [candidate("A-1", order="2", note="b", fields={"issued_on": date(2025, 1, 1)})])
    said, record = store.licences.status_of(first), store.licences.record_of(first)
    assert said is not None
    assert record is not None
    assert (said.status, said.superseded, record.items["KZ_NOTE"]) == (Status.VALID, True, "a")
    assert store.licences.status_of("1.2.3") is None
    assert store.licences.record_of("1.2.3") is None


def test_the_library_knows_every_text_a_code_has_had(store: Store) -> None:
    for meaning in ("普通", "一般"):
        kind = {"label": {"en": "Kind"}, "codes": {"1": meaning, "2": "特殊"}}
        declared = {"code": "T", "name": {}, "items": {"KZ_LB": kind, "KZ_X": {"label": {}}}}
        store.registry.apply("licence-type", "T", declared, "a")
    assert store.licences.meanings_of("T") == {"KZ_LB": {"1": {"普通", "一般"}, "2": {"特殊"}}}
    assert store.licences.meanings_of("unknown") == {}


def test_an_identifier_that_no_stored_text_can_be_is_unknown(store: Store) -> None:
    for name in ("1.2\0", "1.2\ud800"):
        assert store.licences.status_of(name) is None
        assert store.licences.record_of(name) is None
