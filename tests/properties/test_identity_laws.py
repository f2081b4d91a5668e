"""Laws of the identity rules: what the library ends up with does not depend on the way records arrive."""

from hypothesis import given
from hypothesis import strategies as st

from contracts.outcome import Outcome
from core.identity import Candidate, Decision, Head, advanced, decide
from store_material import candidate

CONTENTS = st.sampled_from(["a", "b", "c"])


def fold(arrivals: list[Candidate]) -> tuple[Head | None, list[tuple[Candidate, Decision]]]:
    head: Head | None = None
    trace = []
    for arrival in arrivals:
        decision = decide(head, arrival)
        head = advanced(head, arrival, decision)
        trace.append((arrival, decision))
    return head, trace


def versions_of(trace: list[tuple[Candidate, Decision]]) -> set[bytes | None]:
    return {arrival.content_digest for arrival, decision in trace if decision.store}


@st.composite
def histories(draw: st.DrawFn, *, declared: bool) -> tuple[list[Candidate], list[Candidate]]:
    """Records of one licence with distinct orders, and the same records in two arrivals with repetitions."""
    contents = draw(st.lists(CONTENTS, min_size=1, max_size=6))
    records = [
        candidate("A-1", order=f"{index:03d}" if declared else "", note=note, stamp_us=index + 1)
        for index, note in enumerate(contents)
    ]
    repeated = records + draw(st.lists(st.sampled_from(records), max_size=4))
    return draw(st.permutations(repeated)), draw(st.permutations(records))


@given(histories(declared=True))
def test_with_declared_orders_the_current_content_is_that_of_the_greatest(
    pair: tuple[list[Candidate], list[Candidate]],
) -> None:
    arrivals, records = pair
    last = max(records, key=lambda one: one.source_order)
    head, trace = fold(arrivals)
    assert head is not None
    assert head.current.content_digest == last.content_digest
    assert head.current.source_order == last.source_order
    assert [decision.outcome for _, decision in trace].count(Outcome.NEW) == 1
    assert versions_of(trace) == {one.content_digest for one in records}


@given(histories(declared=True))
def test_with_declared_orders_nothing_is_ever_held_as_a_conflict(
    pair: tuple[list[Candidate], list[Candidate]],
) -> None:
    _, trace = fold(pair[0])
    assert Outcome.CONFLICT not in {decision.outcome for _, decision in trace}


@given(histories(declared=False))
def test_without_orders_the_intake_stamp_decides_whatever_the_arrival(
    pair: tuple[list[Candidate], list[Candidate]],
) -> None:
    arrivals, records = pair
    last = max(records, key=lambda one: one.stamp_us)
    head, trace = fold(arrivals)
    assert head is not None
    assert head.current.content_digest == last.content_digest
    assert [decision.outcome for _, decision in trace].count(Outcome.NEW) == 1


@given(st.lists(st.tuples(CONTENTS, st.integers(0, 3)), min_size=1, max_size=6), st.data())
def test_ties_that_arrival_settles_end_with_the_latest_stamp(
    pairs: list[tuple[str, int]], data: st.DataObject
) -> None:
    records = [
        candidate("A-1", order="7", note=note, stamp_us=stamp * 10 + index, ties="arrival")
        for index, (note, stamp) in enumerate(pairs)
    ]
    last = max(records, key=lambda one: (one.stamp_us, one.source_digest))
    head, _ = fold(data.draw(st.permutations(records)))
    assert head is not None
    assert head.current.content_digest == last.content_digest


@given(
    st.lists(st.tuples(CONTENTS, st.sampled_from([50, 100]), st.integers(0, 9)), min_size=1, max_size=6),
    st.data(),
)
def test_a_lower_rank_never_overwrites_a_higher_one(
    pairs: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    records = [candidate("A-1", order=str(order), note=note, rank=rank) for note, rank, order in pairs]
    head, _ = fold(data.draw(st.permutations(records)))
    highest = max(rank for _, rank, _ in pairs)
    assert head is not None
    assert head.current.rank == highest
    assert head.current.content_digest in {one.content_digest for one in records if one.rank == highest}


@given(histories(declared=True), st.integers(2, 5))
def test_a_replay_under_the_same_terms_changes_nothing(
    pair: tuple[list[Candidate], list[Candidate]], times: int
) -> None:
    from msgspec.structs import replace

    arrivals, _ = pair
    head, _ = fold(arrivals)
    after = head
    for arrival in arrivals * times:
        again = replace(arrival, cause=f"replay:{arrival.receipt}")
        decision = decide(after, again)
        if decision.outcome is not Outcome.STALE:
            assert not decision.store
        after = advanced(after, again, decision)
    assert head is not None
    assert after is not None
    assert after.current.content_digest == head.current.content_digest
