"""Receipts: the same again for the same record, in the order of a submission, and not to be guessed."""

from hypothesis import given
from hypothesis import strategies as st

from contracts.identity import receipt_id, uuid7_ms

KEY = b"k" * 32
MOMENT_MS = 1_795_000_000_000


def test_a_receipt_is_a_uuid_of_version_7_made_when_its_submission_was_first_seen() -> None:
    receipt = receipt_id(KEY, "permits", "file", 17, MOMENT_MS)
    assert (receipt.version, uuid7_ms(receipt)) == (7, MOMENT_MS)
    assert receipt == receipt_id(KEY, "permits", "file", 17, MOMENT_MS)


@given(st.lists(st.integers(0, 2**26 - 1), min_size=2, max_size=50, unique=True))
def test_receipts_of_a_submission_sort_by_the_place_of_their_records(places: list[int]) -> None:
    receipts = {place: receipt_id(KEY, "permits", "file", place, MOMENT_MS) for place in places}
    assert sorted(places) == sorted(places, key=receipts.__getitem__)


def test_places_beyond_the_counter_still_have_receipts_of_their_own() -> None:
    first, wrapped = (receipt_id(KEY, "permits", "file", index, MOMENT_MS) for index in (5, 5 + 2**26))
    assert first != wrapped


def test_key_interface_and_submission_each_make_another_receipt() -> None:
    made = {
        receipt_id(key, interface, submission, 0, MOMENT_MS)
        for key in (KEY, b"other")
        for interface in ("permits", "registers")
        for submission in ("file", "another")
    }
    assert len(made) == 8
