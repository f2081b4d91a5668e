"""Laws of cleaning: it never fails, it is stable, and the wrong check character of a holder is never let through."""

from datetime import date

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from contracts.licence_type import ItemSpec, LicenceType
from contracts.record import Holder, LicenceRecord, Status
from core.cleaning import compile_rules

TODAY = date(2026, 11, 23)
CODE = "11100000000013338W032"
CLEANER = compile_rules(
    LicenceType(
        code=CODE,
        name={},
        number_pattern="[A-Z]*[0-9]+",
        items={
            "KZ_T": ItemSpec(label={}, max_length=5, pattern="[a-z]+"),
            "KZ_C": ItemSpec(label={}, codes={"1": "甲", "2": "乙"}),
            "KZ_N": ItemSpec(label={}, kind="number", minimum=0, maximum=9),
            "KZ_D": ItemSpec(label={}, kind="date"),
            "KZ_F": ItemSpec(label={}, kind="flag"),
            "KZ_L": ItemSpec(label={}, kind="list", fields={"A": {}}),
        },
    )
)
texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            "/",
            " 无 ",
            "2021年5月1日",
            "2099/12/31",
            "甲",
            "５",
            "00000000000000000X",
            "110105491231002",
            CODE,
        ]
    ),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-99, 99), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)
days = st.one_of(st.none(), st.dates())
records = st.builds(
    LicenceRecord,
    licence_type=st.one_of(st.just(CODE), texts),
    licence_name=texts,
    licence_number=texts,
    holders=st.lists(
        st.builds(
            Holder,
            name=texts,
            code=texts,
            code_type=st.one_of(st.sampled_from(["001", "111", "公民身份号码"]), texts),
        ),
        max_size=3,
    ).map(tuple),
    issuer_name=texts,
    issuer_code=texts,
    region=texts,
    issued_on=days,
    valid_from=days,
    valid_until=days,
    long_term=st.booleans(),
    status=st.sampled_from(Status),
    identifier=texts,
    items=st.dictionaries(
        st.one_of(st.sampled_from(["KZ_T", "KZ_C", "KZ_N", "KZ_D", "KZ_F", "KZ_L"]), texts),
        values,
        max_size=4,
    ),
)


@given(records)
def test_any_record_gets_a_verdict_whose_faults_can_be_stored_and_shown(record: LicenceRecord) -> None:
    verdict = CLEANER.clean(record, today=TODAY)
    for fault in verdict.faults:
        assert msgspec.json.decode(msgspec.json.encode(fault.as_dict()))["rule"] == fault.rule
    if not any(fault.rule == "text.forbidden-character" for fault in verdict.faults):
        stored = msgspec.msgpack.encode(verdict.record)
        assert msgspec.msgpack.decode(stored, type=LicenceRecord) == verdict.record


@given(records)
def test_cleaning_a_cleaned_record_changes_nothing(record: LicenceRecord) -> None:
    once = CLEANER.clean(record, today=TODAY)
    twice = CLEANER.clean(once.record, today=TODAY)
    assert twice.faults == once.faults
    assert repr(twice.record) == repr(once.record)  # repr, because not-a-number does not equal itself


@given(records, st.dates(), st.dates())
def test_a_later_day_never_revives_a_licence(record: LicenceRecord, first: date, second: date) -> None:
    early, late = sorted((first, second))
    ended_early, ended_late = (CLEANER.clean(record, today=day).ended for day in (early, late))
    assert ended_early is None or ended_late is ended_early
