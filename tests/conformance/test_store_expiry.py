"""Validity ends with its last day, and a renewal brings it back: one status event each, nothing that is over stays shareable."""

from datetime import date

import msgspec
import pytest

from contracts.outcome import Outcome
from contracts.record import Status
from core.identity import Candidate
from core.store import Store
from core.store.expiry import BATCH
from core.store.licences import LicenceQuery
from core.store.packages import Made
from store_material import candidate, licence_id_of

LAST_DAY = date(2030, 6, 30)
MADE = Made(
    file_number="F-1", template="t", digest=b"d" * 32, size_bytes=1, algorithm="a", key_id="k", blob=b"b" * 32
)


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


def renewal(order: str, until: date | None, **changes: object) -> Candidate:
    fields = {"valid_until": until, **changes}
    return candidate("R-1", order=order, note=order, fields=fields)


def events_of(store: Store) -> list[tuple[Status, str]]:
    history = store.licences.history(licence_id_of(store, "R-1"))
    return [(event.status, event.cause) for event in history.events]


def test_a_renewal_brings_an_expired_licence_back_and_is_packaged(store: Store) -> None:
    store.records.commit([renewal("1", LAST_DAY)], [])
    licence = licence_id_of(store, "R-1")
    store.packages.finish([(store.packages.claim([(licence, 1)], 60)[0], {"ofd": MADE})])
    store.expiry.expire(date(2030, 7, 1))
    assert not store.licences.find(LicenceQuery(number="R-1")).licences
    (result,) = store.records.commit([renewal("2", date(2035, 6, 30))], [])
    assert (result.outcome, result.package) == (Outcome.NEWER, True)
    assert events_of(store) == [(Status.EXPIRED, "validity-ended"), (Status.VALID, "renewed")]
    (claim,) = store.packages.claim([(licence, 2)], 60)
    assert store.packages.finish([(claim, {"ofd": MADE})]) == [True]
    (shared,) = store.licences.find(LicenceQuery(number="R-1")).licences
    assert (shared.status, shared.version_no) == (Status.VALID, 2)
    store.journal.sequence(1)
    told = [change.data for change in store.journal.entries(-1) if change.kind == "licence.status"]
    assert [(entry["status"], entry["cause"]) for entry in told] == [
        ("expired", "validity-ended"),
        ("valid", "renewed"),
    ]


def test_a_renewed_licence_expires_again_on_its_new_day(store: Store) -> None:
    store.records.commit([renewal("1", LAST_DAY)], [])
    store.expiry.expire(date(2030, 7, 1))
    store.records.commit([renewal("2", date(2035, 6, 30))], [])
    assert store.expiry.expire(date(2035, 6, 30)) == 0
    assert store.expiry.expire(date(2035, 7, 1)) == 1
    assert events_of(store)[-1] == (Status.EXPIRED, "validity-ended")


@pytest.mark.parametrize("batches", [[1, 1], [2]])
def test_a_licence_that_had_expired_at_intake_is_renewed_however_the_records_are_cut(
    store: Store, batches: list[int]
) -> None:
    old = msgspec.structs.replace(renewal("1", date(2020, 1, 1)), ended=Status.EXPIRED)
    records = [old, renewal("2", date(2035, 6, 30))]
    for size in batches:
        store.records.commit([records.pop(0) for _ in range(size)], [])
    assert events_of(store) == [(Status.EXPIRED, "ended-at-intake"), (Status.VALID, "renewed")]
    assert store.packages.states() == {"pending": 1}


def test_a_renewal_brings_back_the_loss_that_was_reported_before_the_expiry(store: Store) -> None:
    store.records.commit([renewal("1", LAST_DAY, status=Status.LOST)], [])
    store.expiry.expire(date(2030, 7, 1))
    (result,) = store.records.commit([renewal("2", date(2035, 6, 30))], [])
    assert not result.package
    assert events_of(store)[1:] == [(Status.EXPIRED, "validity-ended"), (Status.LOST, "renewed")]


def test_a_renewal_that_is_reported_suspended_is_suspended(store: Store) -> None:
    store.records.commit([renewal("1", LAST_DAY)], [])
    store.expiry.expire(date(2030, 7, 1))
    store.records.commit([renewal("2", date(2035, 6, 30), status=Status.SUSPENDED)], [])
    assert events_of(store)[-1] == (Status.SUSPENDED, "reported")


@pytest.mark.parametrize(
    "status", [Status.VOID, Status.CANCELLED, Status.REVOKED, Status.WITHDRAWN, Status.LOST, Status.SUSPENDED]
)
def test_no_later_validity_lifts_what_an_authority_said(store: Store, status: Status) -> None:
    store.records.commit([renewal("1", LAST_DAY, status=status)], [])
    store.records.commit([renewal("2", date(2035, 6, 30))], [])
    assert store.licences.get(licence_id_of(store, "R-1")).status is status
    assert store.packages.states() == {}


def test_an_expiry_reported_without_a_last_day_is_not_lifted_and_one_with_is(store: Store) -> None:
    over = {"status": Status.EXPIRED}
    first = msgspec.structs.replace(renewal("1", None, **over), ended=Status.EXPIRED)
    store.records.commit([first], [])
    store.records.commit([renewal("2", date(2035, 6, 30))], [])
    assert events_of(store) == [(Status.EXPIRED, "reported")]
    other = candidate("R-2", fields={**over, "valid_until": date(2020, 1, 1)}, ended=Status.EXPIRED)
    later = candidate("R-2", order="2", fields={"valid_until": date(2035, 6, 30)})
    store.records.commit([other], [])
    store.records.commit([later], [])
    assert store.licences.get(licence_id_of(store, "R-2")).status is Status.VALID


def test_an_older_paper_that_comes_late_renews_nothing(store: Store) -> None:
    store.records.commit([renewal("2", LAST_DAY)], [])
    store.expiry.expire(date(2030, 7, 1))
    (result,) = store.records.commit([renewal("1", date(2040, 1, 1))], [])
    assert result.outcome is Outcome.STALE
    assert events_of(store) == [(Status.EXPIRED, "validity-ended")]
