"""Quarantine: what a person decides about a held record, and what became of it: one suite over both databases."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from contracts.fault import Disposition, Rule
from contracts.identity import uuid7
from contracts.outcome import Outcome
from core.errors import NotFound, Refused
from core.store import Store
from core.store.quarantine import Choice, QuarantineStore
from store_material import candidate, licence_id_of, outcomes, refused

HELD = Rule(
    code="test.held",
    en="bad",
    zh="错误",
    remedy_en="mend",
    remedy_zh="修正",
    disposition=Disposition.QUARANTINE,
)


def held_pair(store: Store) -> UUID:
    twin = candidate("A-1", note="b", raw_index=0)
    assert outcomes(store, [candidate("A-1", note="a"), twin], [b"raw"]) == ["new", "conflict"]
    return twin.receipt


def cut(*_: Any) -> None:
    """A kill between storing the record and closing its case."""
    raise KeyboardInterrupt


def test_taking_the_new_record_of_a_conflict_makes_it_current_under_its_own_receipt(store: Store) -> None:
    receipt = held_pair(store)
    result = store.quarantine.decide(receipt, "take-new", "ann", "called the department")
    assert result is not None
    assert (result.outcome, result.version_no) == (Outcome.NEWER, 2)
    assert store.licences.record(licence_id_of(store, "A-1")).items["KZ_NOTE"] == "b"
    case = store.quarantine.get(receipt).case
    assert (case.state, case.decided_by, case.resubmission) == ("accepted", "ann", result.receipt)
    assert store.ledger.entry(result.receipt).cause == f"resubmission:{receipt}"
    assert store.ledger.entry(receipt).outcome is Outcome.CONFLICT
    assert store.ledger.raw_of(result.receipt) == b"raw"


def test_keeping_the_current_one_closes_the_case_and_stores_nothing(store: Store) -> None:
    receipt = held_pair(store)
    assert store.quarantine.decide(receipt, "keep-current", "ann", "typing error") is None
    assert store.quarantine.get(receipt).case.state == "rejected"
    assert len(store.licences.history(licence_id_of(store, "A-1")).versions) == 1


def test_a_decision_cut_before_its_end_is_finished_with_one_effect(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = held_pair(store)
    with monkeypatch.context() as patch:
        patch.setattr(QuarantineStore, "_finish", cut)
        with pytest.raises(KeyboardInterrupt):
            store.quarantine.decide(receipt, "take-new", "ann", "why")
    result = store.quarantine.decide(receipt, "take-new", "ann", "why")
    assert result is not None
    assert result.known
    assert len(store.licences.history(licence_id_of(store, "A-1")).versions) == 2


def test_a_decision_that_may_have_stored_the_record_leaves_no_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = held_pair(store)
    with monkeypatch.context() as patch:
        patch.setattr(QuarantineStore, "_finish", cut)
        with pytest.raises(KeyboardInterrupt):
            store.quarantine.decide(receipt, "take-new", "ann", "why")
    for other in (
        lambda: store.quarantine.decide(receipt, "keep-current", "ann", "typing error"),
        lambda: store.quarantine.reject(receipt, "ann", "typing error"),
        lambda: store.quarantine.begin_resubmission(receipt, "ann", "mended"),
        lambda: store.quarantine.link_resubmission(receipt, uuid7(), "ann"),
    ):
        with pytest.raises(Refused, match="take-new was begun by ann"):
            other()
    assert store.quarantine.get(receipt).case.begun == "take-new"
    store.quarantine.decide(receipt, "take-new", "ann", "why")
    assert store.quarantine.get(receipt).case.state == "accepted"


def test_a_resubmission_that_may_have_been_sent_leaves_no_other_decision(store: Store) -> None:
    receipt, sent = held_pair(store), uuid7()
    store.quarantine.begin_resubmission(receipt, "ann", "mended")
    choices: tuple[Choice, ...] = ("take-new", "keep-current")
    for choice in choices:
        with pytest.raises(Refused, match="resubmit was begun by ann"):
            store.quarantine.decide(receipt, choice, "ann", "why")
    assert store.quarantine.link_resubmission(receipt, sent, "ann").resubmission == sent
    assert len(store.licences.history(licence_id_of(store, "A-1")).versions) == 1


def test_a_quarantined_record_is_accepted_rejected_or_resubmitted(store: Store) -> None:
    changes: dict[str, Any] = {
        "fixed": Outcome.QUARANTINED,
        "faults": (HELD.at("/x", "v"),),
        "content_digest": None,
    }
    held = [candidate(f"A-{n}", **changes) for n in range(3)]
    outcomes(store, held)
    assert store.quarantine.open_counts() == {"food": 3}
    accepted = store.quarantine.decide(held[0].receipt, "accept", "ann", "checked")
    assert accepted is not None
    assert accepted.outcome is Outcome.NEW
    assert store.quarantine.reject(held[1].receipt, "ann", "false").state == "rejected"
    assert store.quarantine.link_resubmission(held[2].receipt, uuid7(), "ann").state == "resubmitted"
    assert store.quarantine.open_counts() == {}
    with store.database.read() as connection:
        kinds = connection.execute(text("SELECT kind, count(*) FROM journal_pending GROUP BY kind")).all()
    assert {str(row[0]): row[1] for row in kinds} == {
        "quarantine.opened": 3,
        "quarantine.decided": 3,
        "licence.version": 1,
    }


def test_a_case_belongs_to_who_claimed_it_and_is_decided_once(store: Store) -> None:
    receipt = held_pair(store)
    assert store.quarantine.claim(receipt, "ann").claimed_by == "ann"
    assert store.quarantine.claim(receipt, "ann").state == "claimed"
    for refused_act in (
        lambda: store.quarantine.claim(receipt, "bob"),
        lambda: store.quarantine.reject(receipt, "bob", "mine"),
        lambda: store.quarantine.decide(receipt, "accept", "ann", "not a choice of a conflict"),
        lambda: store.quarantine.decide(receipt, "take-new", "ann", " "),
        lambda: store.quarantine.decide(receipt, "take-new", "", "no person"),
    ):
        with pytest.raises(Refused):
            refused_act()
    store.quarantine.reject(receipt, "ann", "wrong")
    with pytest.raises(Refused, match="rejected"):
        store.quarantine.claim(receipt, "ann")


def test_a_choice_that_a_case_does_not_have_is_refused_in_both_languages(store: Store) -> None:
    held = refused(Outcome.QUARANTINED, (HELD.at("/x"),))
    outcomes(store, [held])
    with pytest.raises(Refused, match="quarantined case cannot be decided by keep-current") as caught:
        store.quarantine.decide(held.receipt, "keep-current", "ann", "why")
    assert caught.value.summary_zh == "隔离记录不能以 keep-current 处理"


def test_a_record_without_key_number_or_content_cannot_be_accepted(store: Store) -> None:
    fault = (HELD.at("/x"),)
    held = [
        refused(Outcome.QUARANTINED, fault),
        candidate("", fixed=Outcome.QUARANTINED, faults=fault),
        refused(Outcome.QUARANTINED, fault, record=None),
    ]
    outcomes(store, held)
    for case in held:
        with pytest.raises(Refused, match="resubmit"):
            store.quarantine.decide(case.receipt, "accept", "ann", "why")


def test_a_department_sees_its_own_cases_only(store: Store) -> None:
    held = [refused(Outcome.QUARANTINED, interface=name) for name in ("food", "drugs", "food")]
    outcomes(store, held)
    assert {case.interface for case in store.quarantine.page(interfaces=["food"])} == {"food"}
    assert store.quarantine.page(interfaces=[]) == []
    with pytest.raises(NotFound):
        store.quarantine.get(held[1].receipt, interfaces=["food"])
    first = store.quarantine.page(limit=2)
    rest = store.quarantine.page(after=first[-1].receipt)
    assert len(first) + len(rest) == 3
