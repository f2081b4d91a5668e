"""Packages that wait: the list a person reads page by page, and letting go of what is held, on both databases."""

import pytest

from core.errors import NotFound, Refused
from core.store import Store
from core.store.package_queue import OPEN, QueuedPackage
from core.store.packages import Version
from store_material import candidate


def stored(store: Store, number: str) -> Version:
    (result,) = store.records.commit([candidate(number)], [])
    assert result.licence_id is not None
    assert result.version_no is not None
    return result.licence_id, result.version_no


def held(store: Store, number: str, state: str, detail: str = "why") -> Version:
    version = stored(store, number)
    (claim,) = store.packages.claim([version], 60)
    store.packages.hold(claim, state, detail)
    return version


def all_pages(store: Store, limit: int) -> list[QueuedPackage]:
    found: list[QueuedPackage] = []
    cursor = ""
    while True:
        page = store.package_queue.list(OPEN, cursor, limit)
        found += page.packages
        cursor = page.next
        if not cursor:
            return found


def test_the_list_says_which_package_waits_since_when_and_why(store: Store) -> None:
    version = held(store, "A-1", "needs-glyph", "𠮷")
    (found,) = store.package_queue.list().packages
    assert (found.licence_id, found.version_no, found.form) == (*version, "ofd")
    assert (found.state, found.detail, found.tries, found.interface) == ("needs-glyph", "𠮷", 1, "food")
    assert found.identifier == store.licences.get(version[0]).identifier
    assert found.asked_ms <= found.since_ms


def test_pages_of_any_size_show_every_package_once_in_the_order_of_the_queue(store: Store) -> None:
    for n in range(5):
        stored(store, f"P-{n}")
    for n in range(3):
        held(store, f"F-{n}", "failed")
    store.packages.claim([stored(store, "C-1")], 60)
    whole = all_pages(store, 100)
    assert [one.state for one in whole] == ["claimed", *["failed"] * 3, *["pending"] * 5]
    assert [all_pages(store, limit) for limit in (1, 2, 4)] == [whole] * 3


def test_a_state_can_be_asked_for_alone_superseded_ones_too(store: Store) -> None:
    first = stored(store, "A-1")
    store.records.commit([candidate("A-1", order="2", note="changed")], [])
    assert [one.version_no for one in store.package_queue.list().packages] == [2]
    assert [
        (one.licence_id, one.version_no) for one in store.package_queue.list(["superseded"]).packages
    ] == [first]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "!", "gqFhwg"])
def test_a_foreign_cursor_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(Refused) as caught:
        store.package_queue.list(OPEN, cursor)
    assert (caught.value.code, caught.value.status) == ("cursor", 400)


def test_what_is_held_is_released_by_state_with_actor_and_reason_in_the_journal(store: Store) -> None:
    held(store, "A-1", "failed")
    kept = held(store, "A-2", "needs-glyph")
    assert store.package_queue.release("failed", actor="wang", reason="mended") == 1
    assert store.package_queue.release("failed", actor="wang", reason="mended") == 0
    states = {one.licence_id: one.state for one in store.package_queue.list().packages}
    assert sorted(states.values()) == ["needs-glyph", "pending"]
    assert states[kept[0]] == "needs-glyph"
    store.journal.sequence(1)
    entries = [change for change in store.journal.entries(-1) if change.kind == "package.released"]
    assert [(entry.subject, entry.data) for entry in entries] == [
        ("failed", {"state": "failed", "actor": "wang", "reason": "mended", "count": 1})
    ]


def test_a_released_package_is_claimed_with_fresh_attempts_and_offered_to_the_sweep(store: Store) -> None:
    version = held(store, "A-1", "failed")
    store.package_queue.release_licence(version[0], actor="wang", reason="corrected")
    assert store.packages.due(0) == [(version, False)]
    (claim,) = store.packages.claim([version], 60)
    assert claim.tries == 1


def test_a_licence_without_a_held_package_has_nothing_to_release(store: Store) -> None:
    version = stored(store, "A-1")
    with pytest.raises(NotFound):
        store.package_queue.release_licence(version[0], actor="wang", reason="corrected")
