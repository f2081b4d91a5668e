"""Validity ends with its last day: one status event, once, and nothing that is over stays shareable."""

from datetime import date

from contracts.record import Status
from core.store import Store
from core.store.expiry import BATCH
from store_material import candidate, licence_id_of

LAST_DAY = date(2030, 6, 30)


def licences(store: Store, count: int) -> None:
    batch = [candidate(f"E-{n}", fields={"valid_until": LAST_DAY}) for n in range(count)]
    store.records.commit(batch, [])


def test_a_licence_expires_the_day_after_its_last_one_and_only_once(store: Store) -> None:
    licences(store, 3)
    assert store.expiry.expire(LAST_DAY) == 0
    assert store.expiry.expire(date(2030, 7, 1)) == 3
    assert store.expiry.expire(date(2030, 7, 2)) == 0
    history = store.licences.history(licence_id_of(store, "E-0"))
    assert [(event.seq, event.status, event.cause) for event in history.events] == [
        (1, Status.EXPIRED, "validity-ended")
    ]
    assert history.events[0].effective_on == LAST_DAY


def test_more_than_a_batch_expires_in_one_sweep(store: Store) -> None:
    licences(store, BATCH + 5)
    assert store.expiry.expire(date(2030, 7, 1)) == BATCH + 5


def test_what_has_expired_is_journaled_and_no_longer_waits_for_a_package(store: Store) -> None:
    licences(store, 1)
    store.expiry.expire(date(2030, 7, 1))
    store.journal.sequence(1)
    assert [
        change.data["status"] for change in store.journal.entries(-1) if change.kind == "licence.status"
    ] == ["expired"]
    assert store.packages.states() == {"superseded": 1}
    assert store.packages.claim([(licence_id_of(store, "E-0"), 1)], 60) == []


def test_a_licence_without_end_or_already_ended_is_left_alone(store: Store) -> None:
    store.records.commit([candidate("E-1", fields={"valid_until": None, "long_term": True})], [])
    store.records.commit([candidate("E-2", fields={"valid_until": LAST_DAY, "status": Status.REVOKED})], [])
    assert store.expiry.expire(date(2040, 1, 1)) == 0
