"""Laws of the identity rules: what the library ends up with does not depend on the way records arrive."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.outcome import Outcome
from core.identity import Candidate, Decision, Filed, Head, advanced, decide, filed, needs_versions
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


@st.composite
def sequences(draw: st.DrawFn) -> list[Candidate]:
    """Whatever can be sent for one licence: orders, ranks, ties and persons' rulings mixed, replays of what came before."""
    sent: list[Candidate] = []
    for _ in range(draw(st.integers(1, 8))):
        if draw(st.booleans()) and sent:
            original = draw(st.sampled_from(sent))
            again = replace(
                original, cause=f"replay:{original.receipt}", interface_revision=draw(st.integers(1, 3))
            )
            read = candidate("A-1", note=draw(CONTENTS)).content_digest
            sent.append(replace(again, content_digest=read, held_before=draw(st.booleans())))
            continue
        sent.append(
            candidate(
                "A-1",
                order=draw(st.sampled_from(["", "1", "2"])),
                note=draw(CONTENTS),
                rank=draw(st.sampled_from([50, 100])),
                stamp_us=draw(st.integers(1, 5)),
                ties=draw(st.sampled_from(["conflict", "arrival"])),
                ruling=draw(st.sampled_from(["", "", "take-new"])),
            )
        )
    return sent


def fold_cut(batches: Sequence[Sequence[Candidate]]) -> tuple[Head | None, list[Decision]]:
    """Folds as the store does: a batch knows the head, and the versions only where they are asked for."""
    head: Head | None = None
    versions: list[Filed] = []
    decisions = []
    for batch in batches:
        if head is not None:
            deep = len(batch) > 1 or needs_versions(replace(head, earlier=()), batch[0])
            head = replace(head, earlier=tuple(replace(one) for one in versions) if deep else ())
        for arrival in batch:
            decision = decide(head, arrival)
            head = advanced(head, arrival, decision)
            decisions.append(decision)
            if decision.store and head is not None:
                versions.append(filed(arrival, head.versions))
    return head and replace(head, earlier=()), decisions


@given(sequences(), st.data())
def test_the_cut_into_batches_changes_no_outcome_and_no_state(
    arrivals: list[Candidate], data: st.DataObject
) -> None:
    ends = sorted(data.draw(st.sets(st.integers(1, len(arrivals) - 1)))) if len(arrivals) > 1 else []
    cut = [arrivals[begin:end] for begin, end in zip([0, *ends], [*ends, len(arrivals)], strict=True)]
    assert fold_cut(cut) == fold_cut([[one] for one in arrivals]) == fold_cut([arrivals])


@given(
    st.lists(
        st.tuples(CONTENTS, st.sampled_from([50, 100]), st.integers(0, 3), st.integers(1, 9)),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
    st.data(),
)
def test_the_current_version_is_the_same_for_every_order_of_arrival(
    drawn: list[tuple[str, int, int, int]], declared: bool, data: st.DataObject
) -> None:
    """Equal orders are settled by the stamp here; where a person has to settle them the first to arrive stays meanwhile."""
    arrivals = [
        candidate(
            "A-1",
            order=str(order) if declared else "",
            note=note,
            rank=rank,
            stamp_us=stamp * 10 + index,
            ties="arrival",
        )
        for index, (note, rank, order, stamp) in enumerate(drawn)
    ]
    last = max(arrivals, key=lambda one: (one.rank, one.source_order, one.stamp_us))
    head, _ = fold(data.draw(st.permutations(arrivals)))
    assert head is not None
    assert head.current.content_digest == last.content_digest
    assert (head.current.rank, head.current.source_order) == (last.rank, last.source_order)
