"""Records into the library: the same outcomes on both databases, one effect whatever is repeated."""

import random
from datetime import date
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from contracts.fault import Rule
from contracts.identifier import build
from contracts.identity import uuid7
from contracts.outcome import Outcome
from contracts.record import Collection, SourceClass, Status, content_digest
from core.errors import InternalError
from core.identity import Candidate
from core.store import Store, tables
from core.store.licences import LicenceQuery
from store_material import (
    ISSUER,
    TYPE,
    candidate,
    count,
    ended,
    fresh_store,
    licence_id_of,
    outcomes,
    refused,
)

RULE = Rule(code="test.rule", en="bad", zh="错误", remedy_en="mend", remedy_zh="修正")


def test_a_first_record_is_new_and_waits_for_its_package(store: Store) -> None:
    (result,) = store.records.commit([candidate("A-1")], [])
    assert (result.outcome, result.version_no, result.package, result.known) == (Outcome.NEW, 1, True, False)
    with store.database.read() as connection:
        kinds = connection.execute(select(tables.journal_pending.c.kind)).scalars().all()
    assert kinds == ["licence.version"]


def test_a_redelivery_gets_the_stored_outcome_and_writes_nothing(store: Store) -> None:
    batch = [candidate("A-1"), candidate("A-1", order="2", note="b"), refused(Outcome.REJECTED)]
    first = store.records.commit(batch, [])
    before = {name: count(store, name) for name in tables.metadata.tables}
    again = store.records.commit(batch, [])
    assert [(r.outcome, r.licence_id, r.version_no) for r in again] == [
        (r.outcome, r.licence_id, r.version_no) for r in first
    ]
    assert all(result.known and not result.package for result in again)
    assert {name: count(store, name) for name in tables.metadata.tables} == before


def test_a_receipt_twice_in_one_batch_is_committed_once(store: Store) -> None:
    one = candidate("A-1")
    first, second = store.records.commit([one, one], [])
    assert (first.outcome, first.known) == (Outcome.NEW, False)
    assert (second.outcome, second.known) == (Outcome.NEW, True)
    assert count(store, "ledger") == 1


def test_a_source_edit_makes_a_version_and_an_older_one_never_becomes_current(store: Store) -> None:
    words = outcomes(
        store,
        [
            candidate("A-1", order="2", note="b"),
            candidate("A-1", order="3", note="c"),
            candidate("A-1", order="1", note="a"),
        ],
    )
    assert words == ["new", "newer", "stale"]
    assert store.licences.record(licence_id_of(store, "A-1")).items["KZ_NOTE"] == "c"
    history = store.licences.history(licence_id_of(store, "A-1"))
    assert [(v.version_no, v.outcome.value, v.current) for v in history.versions] == [
        (1, "new", False),
        (2, "newer", True),
        (3, "stale", False),
    ]


def test_a_stale_record_meets_the_version_of_its_own_order(store: Store) -> None:
    outcomes(store, [candidate("A-1", order="1", note="a"), candidate("A-1", order="2", note="b")])
    assert outcomes(store, [candidate("A-1", order="1", note="a")]) == ["repeat"]
    (result,) = store.records.commit([candidate("A-1", order="1", note="x")], [])
    assert (result.outcome, result.version_no) == (Outcome.CONFLICT, 1)


def test_equal_order_with_other_content_is_held_with_the_differences(store: Store) -> None:
    outcomes(store, [candidate("A-1", note="a")])
    twin = candidate("A-1", note="b", fields={"valid_until": date(2035, 1, 1)})
    (result,) = store.records.commit([twin], [])
    assert result.outcome is Outcome.CONFLICT
    detail = store.quarantine.get(twin.receipt)
    assert {(d.field, d.stored, d.submitted) for d in detail.differences} == {
        ("items.KZ_NOTE", "a", "b"),
        ("valid_until", "2034-04-30", "2035-01-01"),
    }


def test_a_package_of_an_earlier_version_is_superseded_and_only_valid_ones_are_asked_for(
    store: Store,
) -> None:
    outcomes(store, [candidate("A-1")])
    results = store.records.commit(
        [
            candidate("A-1", order="2", note="b"),
            candidate("A-1", order="3", note="c"),
            ended("B-1"),
            candidate("C-1", fields={"status": Status.LOST}),
            candidate("D-1", fields={"source_class": SourceClass.LIBRARY}),
            candidate("E-1", collection=Collection.STOCK),
        ],
        [],
    )
    assert [r.package for r in results] == [True, True, False, False, False, True]
    query = select(tables.package.c.state, tables.package.c.bulk).order_by(
        tables.package.c.licence_id, tables.package.c.version_no
    )
    with store.database.read() as connection:
        states = sorted((row[0], bool(row[1])) for row in connection.execute(query))
    assert states == [("pending", False), ("pending", True), ("superseded", False), ("superseded", False)]


def test_no_content_version_lifts_a_status(store: Store) -> None:
    assert outcomes(store, [candidate("A-1", fields={"status": Status.REVOKED})]) == ["new"]
    assert outcomes(store, [candidate("A-1", order="2", note="b")]) == ["newer"]
    assert outcomes(store, [candidate("A-1", order="3", note="c", fields={"status": Status.REVOKED})]) == [
        "newer"
    ]
    licence = licence_id_of(store, "A-1")
    assert store.licences.get(licence).status is Status.REVOKED
    assert [(e.seq, e.status, e.cause) for e in store.licences.history(licence).events] == [
        (1, Status.REVOKED, "reported")
    ]


def test_a_licence_that_had_ended_at_intake_is_history_with_its_status_event(store: Store) -> None:
    assert outcomes(store, [ended("A-1")]) == ["history"]
    (event,) = store.licences.history(licence_id_of(store, "A-1")).events
    assert (event.status, event.cause, event.effective_on) == (
        Status.EXPIRED,
        "ended-at-intake",
        date(2034, 4, 30),
    )


def test_a_record_without_key_or_content_is_our_defect_and_nothing_is_stored(store: Store) -> None:
    with pytest.raises(InternalError):
        store.records.commit([candidate("A-1"), candidate("B-1", licence_key=None)], [])
    assert count(store, "licence") == 0
    assert store.records.commit([], []) == []


def test_faults_are_told_by_the_ledger_with_their_values(store: Store) -> None:
    fault = RULE.at("/x", "seen")
    one = refused(Outcome.REJECTED, (fault,))
    filtered = refused(Outcome.FILTERED, filtered_by="requested")
    outcomes(store, [one, filtered])
    assert store.ledger.entry(one.receipt).faults == (fault,)
    assert store.ledger.entry(filtered.receipt).rules == ("requested",)
    assert store.ledger.totals() == {Outcome.REJECTED: 1, Outcome.FILTERED: 1}


def test_the_raw_record_comes_back_byte_for_byte(store: Store) -> None:
    raws = [b'{"a": 1}', b"\x00\xff" * 50]
    batch = [candidate("A-1", raw_index=0), candidate("A-2", raw_index=1), candidate("A-3")]
    outcomes(store, batch, raws)
    assert [store.ledger.raw_of(one.receipt) for one in batch[:2]] == raws
    assert store.ledger.entry(batch[0].receipt).framed
    assert not store.ledger.entry(batch[2].receipt).framed


def test_two_numbers_that_differ_only_in_characters_get_different_identifiers(store: Store) -> None:
    outcomes(store, [candidate("京A1"), candidate("沪A1"), candidate("A1"), candidate("A.1")])
    found = [store.licences.get(licence_id_of(store, n)).identifier for n in ("京A1", "沪A1", "A1")]
    assert len(set(found)) == 3
    assert found[2].split(".")[7:9] == ["A1", "001"]


def test_a_supplied_identifier_of_another_licence_is_quarantined(store: Store) -> None:
    outcomes(store, [candidate("A-1")])
    taken = store.licences.get(licence_id_of(store, "A-1")).identifier
    clash = candidate("B-1", fields={"identifier": taken})
    after = candidate("B-1", order="2", note="b")
    assert outcomes(store, [clash, after]) == ["quarantined", "new"]
    assert store.ledger.entry(clash.receipt).rules == ("identifier.clash",)


def test_supplied_identifiers_are_kept_and_each_leads_to_its_version(store: Store) -> None:
    first, second = (str(build(TYPE, ISSUER, "OWN1", version)) for version in (1, 2))
    batch = [
        candidate("A-1", note="a", fields={"identifier": first}),
        candidate("A-1", order="2", note="b", fields={"identifier": first}),
        candidate("A-1", order="3", note="c", fields={"identifier": second}),
        candidate("A-1", order="4", note="d", fields={"issued_on": date(2030, 1, 1)}),
    ]
    assert outcomes(store, batch) == ["new", "newer", "newer", "newer"]
    views = [store.licences.get(name) for name in (first, second)]
    assert [(v.version_no, v.identifier, v.superseded) for v in views] == [
        (2, first, True),
        (4, second, False),
    ]
    assert count(store, "identifier") == 2


def test_the_hub_counts_no_reissue_of_an_identifier_it_did_not_assign(store: Store) -> None:
    own = str(build(TYPE, ISSUER, "OWN1", 1))
    outcomes(store, [candidate("A-1", fields={"identifier": own})])
    assert outcomes(store, [candidate("A-1", order="2", fields={"issued_on": date(2030, 1, 1)})]) == ["newer"]
    assert store.licences.get(licence_id_of(store, "A-1")).identifier == own


def test_a_type_without_a_national_code_gets_no_identifier(store: Store) -> None:
    assert outcomes(store, [candidate("A-1", fields={"licence_type": "local"})]) == ["new"]
    assert store.licences.get(licence_id_of(store, "A-1")).identifier == ""


def test_a_preview_tells_the_outcomes_and_changes_nothing(store: Store) -> None:
    outcomes(store, [candidate("A-1", note="a")])
    before = {name: count(store, name) for name in tables.metadata.tables}
    batch = [
        candidate("A-1", order="2", note="b"),
        candidate("A-1", order="0", note="c"),
        candidate("B-1"),
    ]
    assert [result.outcome.value for result in store.records.preview(batch)] == ["newer", "stale", "new"]
    assert {name: count(store, name) for name in tables.metadata.tables} == before
    assert outcomes(store, batch) == ["newer", "stale", "new"]


def test_a_clash_on_an_unknown_licence_leaves_no_head_behind(store: Store) -> None:
    outcomes(store, [candidate("A-1")])
    taken = store.licences.get(licence_id_of(store, "A-1")).identifier
    assert outcomes(store, [candidate("B-1", fields={"identifier": taken})]) == ["quarantined"]
    assert count(store, "licence") == 1


def test_a_reissue_counts_the_identifiers_version_and_the_old_one_says_superseded(store: Store) -> None:
    outcomes(store, [candidate("A-1"), candidate("A-1", order="2", note="corrected")])
    licence = licence_id_of(store, "A-1")
    first = store.licences.get(licence).identifier
    outcomes(store, [candidate("A-1", order="3", fields={"issued_on": date(2025, 1, 1)})])
    current = store.licences.get(licence)
    assert (first[-5:-2], current.identifier[-5:-2]) == ("001", "002")
    old = store.licences.get(first)
    assert (old.superseded, old.version_no, old.current_identifier) == (True, 2, current.identifier)


def test_a_replay_under_newer_terms_makes_a_reinterpreted_version(store: Store) -> None:
    original = candidate("A-1", note="a")
    outcomes(store, [original])
    again = candidate("A-1", note="read otherwise", cause=f"replay:{original.receipt}", interface_revision=2)
    assert outcomes(store, [again]) == ["newer"]
    assert store.licences.history(licence_id_of(store, "A-1")).versions[1].cause == "reinterpreted"
    same = candidate("A-1", note="read otherwise", cause=f"replay:{original.receipt}", interface_revision=2)
    assert outcomes(store, [same]) == ["repeat"]


def test_a_replay_finds_the_identifier_that_its_source_supplied(store: Store) -> None:
    own = str(build(TYPE, ISSUER, "OWN1", 1))
    original = candidate("A-1", note="a", fields={"identifier": own})
    outcomes(store, [original])
    for revision in (2, 3):
        again = reread(original, revision, f"read {revision}")
        assert outcomes(store, [again]) == ["newer"]
    assert store.licences.get(own).version_no == 3


def reread(original: Candidate, revision: int, note: str) -> Candidate:
    """The same input under another mapping."""
    assert original.record is not None
    record = msgspec.structs.replace(original.record, items={"KZ_NOTE": note})
    return msgspec.structs.replace(
        original,
        receipt=uuid7(),
        cause=f"replay:{original.receipt}",
        interface_revision=revision,
        record=record,
        content_digest=content_digest(record),
    )


def random_batches(seed: int) -> list[list[Candidate]]:
    """Batches over few licences, so that every outcome occurs, with repetitions of earlier records."""
    rnd = random.Random(seed)
    sent: list[Candidate] = []
    batches = []
    for _ in range(12):
        batch = []
        for _ in range(rnd.randint(1, 15)):
            if sent and rnd.random() < 0.2:
                again = rnd.choice(sent)
                batch.append(
                    again if rnd.random() < 0.5 else reread(again, rnd.randint(1, 3), rnd.choice("abc"))
                )
                continue
            fresh = candidate(
                f"A-{rnd.randint(1, 6)}",
                order=rnd.choice(["", "1", "2", "3", "4"]),
                note=rnd.choice("abc"),
                rank=rnd.choice([50, 100, 100]),
                stamp_us=rnd.randint(1, 50),
                ties=rnd.choice(["conflict", "arrival"]),
                ended=rnd.choice([None, None, None, Status.EXPIRED]),
                fixed=rnd.choice([None] * 6 + [Outcome.REJECTED, Outcome.QUARANTINED]),
                fields={
                    "issued_on": date(2024, rnd.randint(1, 3), 1),
                    "status": rnd.choice(
                        [Status.VALID] * 4 + [Status.SUSPENDED, Status.LOST, Status.EXPIRED]
                    ),
                    "valid_until": rnd.choice([None, date(2020, 1, 1), date(2030, 1, 1), date(2031, 1, 1)]),
                    "identifier": rnd.choice(
                        ["", "", str(build(TYPE, ISSUER, f"OWN{rnd.randint(1, 9)}", 1))]
                    ),
                },
            )
            sent.append(fresh)
            batch.append(fresh)
        batches.append(batch)
    return batches


def trace_of(store: Store, batches: list[list[Candidate]]) -> list[object]:
    """All that is observable, free of ids and times."""
    seen: list[object] = [
        [(r.receipt, r.outcome, r.version_no, r.package, r.known) for r in store.records.commit(batch, [])]
        for batch in batches
    ]
    page = store.licences.find(LicenceQuery(scope="management"), limit=100).licences
    for view in sorted(page, key=lambda one: one.licence_number):
        history = store.licences.history(view.id)
        versions = [
            (v.version_no, v.identifier, v.current, v.outcome, v.cause, v.receipt, v.source_order)
            for v in history.versions
        ]
        events = [(e.seq, e.status, e.cause, e.receipt, e.effective_on) for e in history.events]
        seen.append((view.licence_number, view.status, view.version_no, view.versions, versions, events))
    seen.append([(c.receipt, c.kind, c.state, c.rules) for c in store.quarantine.page()])
    seen.append(store.ledger.totals())
    seen.append({name: count(store, name) for name in sorted(tables.metadata.tables) if name != "data_key"})
    return seen


@pytest.mark.parametrize("seed", range(6))
def test_random_batches_leave_the_same_trace_on_both_databases(
    tmp_path: Path, empty_postgres: str, seed: int
) -> None:
    traces = []
    batches = random_batches(seed)
    for url in (f"sqlite:///{tmp_path}/hub.db", empty_postgres):
        opened = fresh_store(url)
        traces.append(trace_of(opened, batches))
        opened.close()
    assert traces[0] == traces[1]


@pytest.mark.parametrize("seed", range(90, 96))
def test_the_cut_into_batches_does_not_change_what_is_stored(tmp_path: Path, seed: int) -> None:
    batches = random_batches(seed)
    singles = [[one] for batch in batches for one in batch]
    stores = [fresh_store(f"sqlite:///{tmp_path}/{name}.db") for name in ("whole", "single")]
    whole, single = (trace_of(opened, cut) for opened, cut in zip(stores, (batches, singles), strict=True))
    for opened in stores:
        opened.close()
    assert outcomes_in(whole[: len(batches)]) == outcomes_in(single[: len(singles)])
    assert whole[len(batches) :][:-1] == single[len(singles) :][:-1]


def outcomes_in(results: list[object]) -> list[object]:
    """What each receipt was told, one after the other."""
    return [one for batch in results if isinstance(batch, list) for one in batch]
