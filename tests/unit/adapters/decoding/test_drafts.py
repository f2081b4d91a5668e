import io
import random
from typing import Any

import msgspec
import pytest

from adapters.decoding import decode_csv, draft_of, drafts
from contracts.interface import Interface
from contracts.mapping import Translator, compile_interface
from core.ports.intake import Draft

DECLARED: dict[str, Any] = {
    "name": "t",
    "department": "d",
    "licence_type": "T",
    "protocol": "file",
    "source": {"format": "csv"},
    "fields": {
        "licence_number": {"source": "permit", "required": True},
        "holder.name": {"source": "who"},
        "issued_on": {"source": "day"},
    },
    "filters": [{"name": "asked", "when": [{"field": "who", "value": "ASKED"}]}],
    "group": {"by": ["permit"], "item": "KZ_L", "fields": {"at": {"source": "place"}}},
    "order": {"by": [{"source": "day", "kind": "date"}]},
}


def translator(**more: Any) -> Translator:
    return compile_interface(msgspec.convert({**DECLARED, **more}, Interface))


def gathered(*lines: str) -> list[Draft]:
    data = "\n".join(["permit,who,day,place", *lines]).encode()
    return list(drafts(decode_csv(io.BytesIO(data), translator()), translator()))


def test_rows_of_one_licence_become_one_record_at_its_first_position() -> None:
    found = gathered("P1,甲,2021-01-01,a", "P2,乙,2021-01-02,c", "P1,甲,2021-01-01,b", "P1,甲,2021-01-01,a")
    assert [(d.position, d.rows, d.record and d.record.items) for d in found] == [
        (0, 3, {"KZ_L": [{"at": "a"}, {"at": "b"}]}),
        (1, 1, {"KZ_L": [{"at": "c"}]}),
    ]
    assert found[0].source_order == "2021-01-01"


def test_filtered_and_nameless_rows_come_first_and_alone() -> None:
    found = gathered("P1,甲,2021-01-01,a", "P9,ASKED,,", ",丙,2021-01-01,x", "P1,甲", "P1,甲,2021-01-01,b")
    assert [(d.position, d.rows, d.filtered_by, [f.rule for f in d.faults]) for d in found] == [
        (1, 1, "asked", []),
        (2, 1, "", ["mapping.required", "group.key-empty"]),
        (3, 1, "", ["csv.ragged-row"]),
        (0, 2, "", []),
    ]


def test_rows_that_state_a_licence_otherwise_are_held_with_the_column() -> None:
    found = gathered("P1,甲,2021-01-01,a", "P1,乙,2021-01-01,b")
    assert [(f.rule, f.pointer) for f in found[0].faults] == [("group.rows-disagree", "/who")]
    assert found[0].record is not None


def test_rows_that_disagree_show_what_each_states_and_first_what_the_record_keeps() -> None:
    (found,) = gathered("P1,甲,2021-01-01,a", "P1,甲,2022-02-02,b", "P1,甲,,c", "P1,甲,2021-01-01,d")
    assert found.record is not None
    assert str(found.record.issued_on) == "2021-01-01"
    assert [(f.pointer, f.value) for f in found.faults] == [("/day", "2021-01-01 | 2022-02-02 | ")]


@pytest.mark.parametrize(
    ("code_type", "shown"),
    [("001", "王海洋科技有限公司 | 李江河科技有限公司"), ("111", "*****有限公司 | *****有限公司")],
)
def test_rows_that_disagree_show_no_name_of_a_person(code_type: str, shown: str) -> None:
    fields = {**DECLARED["fields"], "holder.code_type": {"constant": code_type}}
    persons = translator(fields=fields)
    data = "permit,who,day,place\nP1,王海洋科技有限公司,2021-01-01,a\nP1,李江河科技有限公司,2021-01-01,b\n"
    (found,) = drafts(decode_csv(io.BytesIO(data.encode()), persons), persons)
    assert [(f.pointer, f.value) for f in found.faults] == [("/who", shown)]


def test_a_rejected_row_rejects_its_licence() -> None:
    found = gathered("P1,甲,2021-01-01,a", "P1,甲,2021-02-30,b")
    assert found[0].record is None
    assert [f.rule for f in found[0].faults] == ["date.does-not-exist"]


def test_the_digest_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = [f"P1,甲,2021-01-01,{place}" for place in "abcd"]
    assert gathered(*rows)[0].source_digest == gathered(*reversed(rows))[0].source_digest
    assert gathered(*rows)[0].source_digest != gathered(*rows[1:])[0].source_digest


def test_ten_thousand_licences_scattered_over_the_file_are_gathered() -> None:
    lines = [f"P{i},甲,2021-01-01,{j}" for i in range(10_000) for j in range(3)]
    random.Random(7).shuffle(lines)
    found = gathered(*lines)
    assert len(found) == 10_000
    assert all(draft.rows == 3 for draft in found)
    assert [d.position for d in found] == sorted(d.position for d in found)


def test_without_grouping_every_row_is_a_draft() -> None:
    plain = translator(group=None)
    data = b"permit,who,day,place\nP1,a,2021-01-01,x\nP1,a,2021-01-01,y\n"
    rows = list(decode_csv(io.BytesIO(data), plain))
    assert list(drafts(rows, plain)) == [draft_of(row, plain) for row in rows]


@pytest.mark.parametrize("group", [DECLARED["group"], None])
def test_a_column_cannot_name_a_stored_file(group: dict[str, Any] | None) -> None:
    plain = translator(group=group)
    data = b"permit,who,day,place,$scans\nP1,a,2021-01-01,x,\nP2,a,2021-01-01,y,z\n"
    found = list(drafts(decode_csv(io.BytesIO(data), plain), plain))
    assert [draft.record for draft in found] == [None, None]
    assert [[fault.rule for fault in draft.faults] for draft in found] == [["mapping.reserved-field"]] * 2
