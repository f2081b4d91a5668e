"""Laws of expiry: it follows the validity of the current version, whatever arrives when and however often the sweep runs."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.record import Status
from core.identity import Candidate, Head, advanced, decide, expired
from store_material import candidate

BEGIN = date(2030, 1, 1)
MAY_EXPIRE = {Status.VALID, Status.LOST, Status.SUSPENDED}


class Library:
    """One licence through the days: records arrive, the sweep runs when it runs."""

    def __init__(self) -> None:
        self.head: Head | None = None
        self.until: date | None = None

    def arrive(self, paper: Candidate, today: date) -> None:
        assert paper.record is not None
        ended = paper.record.status if paper.record.status.ended else None
        over = paper.record.valid_until is not None and paper.record.valid_until < today
        arriving = replace(paper, ended=ended or (Status.EXPIRED if over else None))
        decision = decide(self.head, arriving)
        self.head = advanced(self.head, arriving, decision)
        if decision.current:
            self.until = paper.record.valid_until

    def sweep(self, today: date) -> None:
        if self.head and self.head.status in MAY_EXPIRE and self.until is not None and self.until < today:
            self.head = expired(self.head, self.until)

    @property
    def status(self) -> Status:
        assert self.head is not None
        return self.head.status


def papers(validities: list[int | None], statuses: list[Status] | None = None) -> list[Candidate]:
    """Versions of a licence in the order of their source, valid so many days from the beginning; None: without end."""
    return [
        candidate(
            "A-1",
            order=f"{index:03d}",
            note=str(index),
            fields={
                "valid_until": None if days is None else BEGIN + timedelta(days=days),
                "status": statuses[index] if statuses else Status.VALID,
            },
        )
        for index, days in enumerate(validities)
    ]


VALIDITIES = st.lists(st.one_of(st.none(), st.integers(0, 40)), min_size=1, max_size=6)


@given(VALIDITIES, st.data())
def test_the_status_follows_the_current_version_for_every_order_of_arrival_and_every_sweep(
    validities: list[int | None], data: st.DataObject
) -> None:
    made = papers(validities)
    library, today = Library(), BEGIN
    for paper in data.draw(st.permutations(made + data.draw(st.lists(st.sampled_from(made), max_size=3)))):
        today += timedelta(days=data.draw(st.integers(0, 15)))
        if data.draw(st.booleans()):
            library.sweep(today)
        library.arrive(paper, today)
    library.sweep(today)
    last = validities[-1]
    over = last is not None and BEGIN + timedelta(days=last) < today
    assert library.status is (Status.EXPIRED if over else Status.VALID)


@given(VALIDITIES, st.data())
def test_no_validity_lifts_what_was_said_of_the_licence_itself(
    validities: list[int | None], data: st.DataObject
) -> None:
    said = data.draw(
        st.lists(st.sampled_from(list(Status)), min_size=len(validities), max_size=len(validities))
    )
    made = papers(validities, said)
    library, today, severest = Library(), BEGIN, Status.VALID
    for paper in made:
        today += timedelta(days=data.draw(st.integers(0, 15)))
        library.sweep(today)
        library.arrive(paper, today)
        assert paper.record is not None
        if paper.record.status not in (Status.VALID, Status.EXPIRED) and not severest.ended:
            over = paper.record.valid_until is not None and paper.record.valid_until < today
            severest = paper.record.status if paper.record.status.ended or not over else severest
        if severest is not Status.VALID:
            assert library.status is not Status.VALID
        if severest.ended:
            assert library.status.ended
            assert library.status is not Status.EXPIRED
