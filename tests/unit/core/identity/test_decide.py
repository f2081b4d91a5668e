"""What a record is to a licence, case by case."""

import pytest
from msgspec.structs import replace

from contracts.outcome import Outcome
from contracts.record import Status
from core.identity import Candidate, Head, advanced, decide, needs_versions
from store_material import candidate, ended


def head_after(*arrivals: Candidate) -> Head:
    head: Head | None = None
    for arrival in arrivals:
        head = advanced(head, arrival, decide(head, arrival))
    assert head is not None
    return head


def word(head: Head | None, arrival: Candidate) -> str:
    return decide(head, arrival).outcome.value


def test_an_unknown_licence_is_new_or_history() -> None:
    assert word(None, candidate("A")) == "new"
    assert word(None, ended("A")) == "history"


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.QUARANTINED, Outcome.FILTERED, Outcome.PARKED])
def test_what_is_decided_before_stays_decided(outcome: Outcome) -> None:
    decision = decide(None, candidate("A", fixed=outcome))
    assert (decision.outcome, decision.store) == (outcome, False)


@pytest.mark.parametrize(
    ("order", "note", "expected"),
    [
        ("2", "b", "newer"),
        ("2", "a", "repeat"),
        ("1", "a", "repeat"),
        ("1", "b", "conflict"),
        ("0", "b", "stale"),
        ("0", "a", "stale"),
    ],
)
def test_the_declared_order_decides(order: str, note: str, expected: str) -> None:
    assert (
        word(head_after(candidate("A", order="1", note="a")), candidate("A", order=order, note=note))
        == expected
    )


def test_a_repeat_at_a_greater_order_moves_the_order_on() -> None:
    head = head_after(candidate("A", order="1", note="a"), candidate("A", order="3", note="a"))
    assert (head.current.source_order, head.versions) == ("3", 1)
    assert word(head, candidate("A", order="2", note="b")) == "stale"


def test_a_new_reading_of_the_same_source_is_a_repeat_not_a_conflict() -> None:
    first = candidate("A", note="a")
    remapped = replace(
        candidate("A", note="read otherwise"), source_digest=first.source_digest, interface_revision=9
    )
    assert word(head_after(first), remapped) == "repeat"


def test_equal_content_read_from_other_fields_is_a_repeat() -> None:
    first = candidate("A", note="a")
    assert word(head_after(first), replace(first, source_digest=b"x" * 32)) == "repeat"


def test_ties_settled_by_arrival_go_to_the_later_stamp() -> None:
    head = head_after(candidate("A", note="a", ties="arrival", stamp_us=5))
    assert word(head, candidate("A", note="b", ties="arrival", stamp_us=6)) == "newer"
    assert word(head, candidate("A", note="b", ties="arrival", stamp_us=4)) == "stale"


def test_a_lower_rank_repeats_or_is_held() -> None:
    head = head_after(candidate("A", note="a"))
    assert word(head, candidate("A", order="9", note="a", rank=50)) == "repeat"
    assert word(head, candidate("A", order="9", note="b", rank=50)) == "conflict"


def test_a_higher_rank_overwrites_whatever_its_order() -> None:
    head = head_after(candidate("A", order="9", note="a"))
    assert word(head, candidate("A", order="1", note="b", rank=200)) == "newer"


def test_a_person_may_take_the_lower_ranked_record_and_the_standing_stays() -> None:
    head = head_after(candidate("A", note="a"), candidate("A", note="b", rank=50, ruling="take-new"))
    assert head.versions == 2
    assert head.current.rank == 100
    assert word(head, candidate("A", order="9", note="c", rank=50)) == "conflict"


@pytest.mark.parametrize(
    ("interface", "rules", "note", "expected"),
    [
        (1, 1, "b", "repeat"),
        (2, 1, "b", "newer"),
        (1, 2, "b", "newer"),
        (2, 2, "a", "repeat"),
        (1, 0, "b", "repeat"),
    ],
)
def test_a_replay_needs_newer_terms_and_other_content(
    interface: int, rules: int, note: str, expected: str
) -> None:
    replay = candidate("A", note=note, cause="replay:x", interface_revision=interface, rule_revision=rules)
    assert word(head_after(candidate("A", note="a")), replay) == expected


def test_a_replay_of_an_earlier_version_never_becomes_current() -> None:
    head = head_after(candidate("A", order="1", note="a"), candidate("A", order="2", note="b"))
    decision = decide(head, candidate("A", order="1", note="c", cause="replay:x", interface_revision=2))
    assert (decision.outcome, decision.current, decision.cause) == (Outcome.STALE, False, "reinterpreted")


def test_another_reading_of_a_repeat_is_one_of_the_version_it_repeats_wherever_that_is_read_from() -> None:
    first = candidate("A", note="a", ties="arrival", stamp_us=17)
    head = head_after(first)
    from_the_store = replace(head, earlier=tuple(replace(version) for version in head.earlier))
    again = replace(
        candidate("A", note="b", ties="arrival", stamp_us=9, cause="replay:x", interface_revision=2),
        source_digest=first.source_digest,
    )
    assert needs_versions(head, again)
    assert decide(head, again) == decide(from_the_store, again)
    assert (decide(head, again).outcome, decide(head, again).cause) == (Outcome.NEWER, "reinterpreted")


def test_a_replay_of_a_record_that_was_held_is_no_other_reading_of_the_version_at_its_order() -> None:
    head = head_after(candidate("A", order="1", note="a"))
    replay = candidate("A", order="1", note="b", cause="replay:x", interface_revision=2)
    assert word(head, replay) == "newer"
    assert word(head, replace(replay, held_before=True)) == "conflict"


def test_a_replay_of_a_record_that_was_never_stored_is_decided_as_any_other() -> None:
    assert (
        word(
            head_after(candidate("A", order="1", note="a")),
            candidate("A", order="2", note="b", cause="replay:x"),
        )
        == "newer"
    )


@pytest.mark.parametrize(
    ("first", "then", "event"),
    [
        (Status.VALID, Status.LOST, Status.LOST),
        (Status.LOST, Status.LOST, None),
        (Status.LOST, Status.VALID, None),
        (Status.LOST, Status.SUSPENDED, Status.SUSPENDED),
        (Status.EXPIRED, Status.REVOKED, Status.REVOKED),
        (Status.REVOKED, Status.EXPIRED, None),
        (Status.REVOKED, Status.LOST, None),
    ],
)
def test_a_reported_status_is_appended_but_never_milder(
    first: Status, then: Status, event: Status | None
) -> None:
    head = head_after(candidate("A", fields={"status": first}))
    assert decide(head, candidate("A", order="2", note="b", fields={"status": then})).status is event


def test_only_what_may_be_older_needs_the_stored_versions() -> None:
    head = head_after(candidate("A", order="2"))
    assert not needs_versions(head, candidate("A", order="2"))
    assert not needs_versions(head, candidate("A", order="3"))
    assert needs_versions(head, candidate("A", order="1"))
    assert needs_versions(head, candidate("A", order="3", rank=1))
