"""A replay settles the quarantine case of its record, in the transaction that stores it, on both databases."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from contracts.identity import uuid7
from contracts.outcome import Outcome
from core.errors import Refused
from core.identity import Candidate
from core.store import Store
from store_material import candidate, count, licence_id_of, outcomes

HELD: dict[str, Any] = {"fixed": Outcome.QUARANTINED, "content_digest": None}


def held(number: str = "A-1", **changes: Any) -> Candidate:
    return candidate(number, note="a", **HELD, **changes)


def replay_of(original: Candidate, revision: int = 2, **changes: Any) -> Candidate:
    """The same record under a mapping that takes it."""
    sound = candidate(original.record.licence_number if original.record else "", note="a")
    terms = {"interface_revision": revision, "fixed": None, "content_digest": sound.content_digest}
    return replace(original, receipt=uuid7(), cause=f"replay:{original.receipt}", **(terms | changes))


def closing_entries(store: Store) -> list[Mapping[str, Any]]:
    store.journal.sequence(1)
    return [change.data for change in store.journal.entries(-1) if change.kind == "quarantine.decided"]


def test_a_case_closes_when_a_replay_stores_its_record(store: Store) -> None:
    original = held()
    outcomes(store, [original])
    replay = replay_of(original)
    (previewed,) = store.records.preview([replay])
    assert (previewed.outcome, previewed.closes) == (Outcome.NEW, original.receipt)
    assert store.quarantine.get(original.receipt).case.state == "open"
    (result,) = store.records.commit([replay], [])
    assert (result.outcome, result.closes) == (Outcome.NEW, original.receipt)
    case = store.quarantine.get(original.receipt).case
    assert (case.state, case.decided_by, case.reason) == ("replayed", "replay", "replayed")
    assert case.resubmission == replay.receipt
    assert case.decided_ms is not None
    (entry,) = closing_entries(store)
    assert (entry["receipt"], entry["state"]) == (str(original.receipt), "replayed")
    assert entry["resubmission"] == str(replay.receipt)
    assert store.quarantine.open_counts() == {}
    assert store.quarantine.replayed("food", {replay.receipt}) == 1


def test_a_redelivered_replay_has_one_effect(store: Store) -> None:
    original = held()
    outcomes(store, [original])
    replay = replay_of(original)
    outcomes(store, [replay])
    before = {name: count(store, name) for name in ("journal_pending", "ledger", "licence_version")}
    (again,) = store.records.commit([replay], [])
    assert (again.known, again.closes) == (True, None)
    assert {name: count(store, name) for name in before} == before


def test_what_a_claim_holds_stays_the_persons_who_learns_the_new_receipt(store: Store) -> None:
    original = held()
    outcomes(store, [original])
    store.quarantine.claim(original.receipt, "ann")
    replay = replay_of(original)
    (result,) = store.records.commit([replay], [])
    assert (result.outcome, result.closes) == (Outcome.NEW, None)
    case = store.quarantine.get(original.receipt).case
    assert (case.state, case.claimed_by, case.resubmission) == ("claimed", "ann", replay.receipt)
    assert closing_entries(store) == []
    closed = store.quarantine.reject(original.receipt, "ann", "came in by replay")
    assert (closed.state, closed.resubmission) == ("rejected", replay.receipt)


def test_after_a_replay_closed_a_case_nobody_can_claim_it(store: Store) -> None:
    original = held()
    outcomes(store, [original])
    outcomes(store, [replay_of(original)])
    with pytest.raises(Refused, match="replayed"):
        store.quarantine.claim(original.receipt, "ann")


@pytest.mark.parametrize("attempt", range(5))
def test_of_a_claim_and_a_replay_at_once_one_wins_and_the_record_is_stored_once(
    store: Store, attempt: int
) -> None:
    original = held()
    outcomes(store, [original])
    replay, begin = replay_of(original), threading.Barrier(2)
    claimed: list[bool] = []

    def claim() -> None:
        begin.wait()
        try:
            store.quarantine.claim(original.receipt, "ann")
            claimed.append(True)
        except Refused:
            claimed.append(False)

    officer = threading.Thread(target=claim)
    officer.start()
    begin.wait()
    (result,) = store.records.commit([replay], [])
    officer.join()
    case = store.quarantine.get(original.receipt).case
    assert (result.outcome, result.closes is None) == (Outcome.NEW, claimed == [True])
    assert case.state == ("claimed" if claimed == [True] else "replayed")
    assert case.resubmission == replay.receipt
    assert len(closing_entries(store)) == (0 if claimed == [True] else 1)


def test_a_replay_that_is_held_again_gives_the_question_to_the_new_case(store: Store) -> None:
    original = held()
    outcomes(store, [original])
    second = replay_of(original, 2, **HELD)
    third = replay_of(original, 3)
    assert outcomes(store, [second]) == ["quarantined"]
    assert store.quarantine.get(original.receipt).case.resubmission == second.receipt
    assert store.quarantine.open_counts() == {"food": 1}
    (result,) = store.records.commit([third], [])
    assert (result.outcome, result.closes) == (Outcome.NEW, second.receipt)
    assert store.quarantine.open_counts() == {}


def test_the_chain_closes_within_one_batch_too(store: Store) -> None:
    original = held()
    outcomes(store, [original])
    second, third = replay_of(original, 2, **HELD), replay_of(original, 3)
    results = store.records.commit([second, third], [])
    assert [result.closes for result in results] == [original.receipt, second.receipt]
    assert store.quarantine.get(second.receipt).case.resubmission == third.receipt
    assert store.quarantine.open_counts() == {}


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.FILTERED])
def test_a_replay_that_is_refused_leaves_the_case_to_a_person(store: Store, outcome: Outcome) -> None:
    original = held()
    outcomes(store, [original])
    assert outcomes(store, [replay_of(original, fixed=outcome, content_digest=None)]) == [outcome.value]
    assert store.quarantine.get(original.receipt).case.state == "open"


def test_a_conflict_stays_a_question_for_a_person_and_is_asked_once(store: Store) -> None:
    twin = candidate("A-1", note="b")
    assert outcomes(store, [candidate("A-1", note="a"), twin]) == ["new", "conflict"]
    again = replace(twin, receipt=uuid7(), cause=f"replay:{twin.receipt}", interface_revision=2)
    assert outcomes(store, [again]) == ["conflict"]
    assert store.licences.get(licence_id_of(store, "A-1")).version_no == 1
    assert [case.receipt for case in store.quarantine.page(state="open")] == [again.receipt]


def test_a_replay_that_agrees_with_the_library_leaves_a_conflict_to_a_person(store: Store) -> None:
    current, twin = candidate("A-1", note="a"), candidate("A-1", note="b")
    assert outcomes(store, [current, twin]) == ["new", "conflict"]
    agreeing = replay_of(twin, content_digest=current.content_digest, record=current.record)
    (result,) = store.records.commit([agreeing], [])
    assert (result.outcome, result.closes) == (Outcome.REPEAT, None)
    assert store.quarantine.get(twin.receipt).case.state == "open"


def test_a_corrected_record_is_not_overwritten_by_a_replay_of_what_was_corrected(store: Store) -> None:
    original = held()
    outcomes(store, [original])
    mended = candidate("A-1", note="mended", cause=f"resubmission:{original.receipt}")
    assert outcomes(store, [mended]) == ["new"]
    store.quarantine.link_resubmission(original.receipt, mended.receipt, "ann")
    assert outcomes(store, [replay_of(original)]) == ["conflict"]
    assert store.licences.record(licence_id_of(store, "A-1")).items["KZ_NOTE"] == "mended"


def test_a_record_that_a_person_accepted_is_read_anew_by_a_replay(store: Store) -> None:
    original = held()
    outcomes(store, [original])
    assert store.quarantine.decide(original.receipt, "accept", "ann", "checked")
    other = candidate("A-1", note="read otherwise")
    again = replay_of(original, record=other.record, content_digest=other.content_digest)
    assert outcomes(store, [again]) == ["newer"]
    assert store.quarantine.get(original.receipt).case.state == "accepted"


def test_a_transaction_that_fails_leaves_the_case_as_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = held()
    outcomes(store, [original])
    replay = replay_of(original)

    def cut(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("core.store.replayed.ReplayedCases.flush", cut)
        with pytest.raises(KeyboardInterrupt):
            store.records.commit([replay], [])
    assert store.quarantine.get(original.receipt).case.state == "open"
    with store.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM licence")).scalar_one() == 0
    (result,) = store.records.commit([replay], [])
    assert result.closes == original.receipt


def test_a_record_and_its_replay_in_one_batch_end_as_they_would_in_two(store: Store) -> None:
    def sequence(number: str) -> list[Candidate]:
        twin = candidate(number, note="b")
        other = candidate(number, note="c", cause=f"replay:{twin.receipt}", interface_revision=2)
        return [candidate(number, note="a"), twin, other]

    whole, single = sequence("A-1"), sequence("B-1")
    together = outcomes(store, whole)
    assert together == [word for one in single for word in outcomes(store, [one])]
    assert together == ["new", "conflict", "conflict"]
