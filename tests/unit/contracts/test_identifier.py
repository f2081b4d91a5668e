"""The identifiers of public files, the made-up ones, and the negative one."""

from random import Random

import pytest

from contracts.identifier import LicenceIdentifier, build, parse, serial_from

ROOT = "1.2.156.3005.2."
PUBLIC = [
    ROOT + "11100000000013338W032.11220000013544541J.2430599.001.F",
    ROOT + "11100000000013338W011.11430000006122244L.20230000403.001.U",
    ROOT + "11100000MB03271699022.340100.000000016.001.9",
    ROOT + "11100000000013338W009.11330105002500287C.2025052201.002.0",
    ROOT + "11100000MB03271699001.11420503087246977F.TEST2024000001.001.V",
    ROOT + "11100000MB03271699001.11420503087246977F.TEST2024000001.002.T",
]
ALTERED = ROOT + "11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M"


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_identifier_is_read_without_fault_and_written_back(text: str) -> None:
    parsed = parse(text)
    assert parsed.faults == ()
    assert parsed.identifier is not None
    assert parsed.identifier.is_consistent
    assert str(parsed.identifier) == text


@pytest.mark.parametrize("text", PUBLIC)
def test_building_from_the_parts_gives_the_published_check(text: str) -> None:
    type_code, issuer_code, serial, version, _ = text.removeprefix(ROOT).split(".")
    assert str(build(type_code, issuer_code, serial, int(version))) == text


def test_the_altered_identifier_is_read_and_its_check_is_refused() -> None:
    parsed = parse(ALTERED, "/identifier")
    assert parsed.identifier is not None
    assert not parsed.identifier.is_consistent
    assert [(fault.rule, fault.pointer) for fault in parsed.faults] == [("identifier.check", "/identifier")]
    assert "should be D" in parsed.faults[0].message


def test_spaces_full_width_and_small_letters_are_read() -> None:
    assert (
        str(parse(" １．２.156.3005.2." + PUBLIC[0].removeprefix(ROOT).lower() + "\n").identifier)
        == PUBLIC[0]
    )


def test_a_foreign_root_is_a_fault_but_the_parts_are_read() -> None:
    parsed = parse(PUBLIC[0].replace("3005", "3003"))
    assert [fault.rule for fault in parsed.faults] == ["identifier.root"]
    assert parsed.identifier is not None
    assert parsed.identifier.serial == "2430599"


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", ["identifier.root", "identifier.parts"]),
        (ROOT + "11100000000013338W032.11220000013544541J.2430599.001", ["identifier.parts"]),
        (ROOT + "W032.112200.2430-599.000.F", ["identifier.type", "identifier.serial", "identifier.version"]),
        (ROOT + "11100000000013338W032.1122.2430599.1.F", ["identifier.issuer", "identifier.version"]),
    ],
)
def test_every_broken_part_is_named_at_once(text: str, rules: list[str]) -> None:
    parsed = parse(text)
    assert parsed.identifier is None
    assert [fault.rule for fault in parsed.faults] == rules


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        (("W032", "340100", "1", 1), "identifier.type"),
        (("1" * 21, "34", "1", 1), "identifier.issuer"),
        (("1" * 21, "340100", "京1", 1), "identifier.serial"),
        (("1" * 21, "340100", "1", 0), "identifier.version"),
        (("1" * 21, "340100", "1", 1000), "identifier.version"),
    ],
)
def test_no_identifier_is_built_from_a_broken_part(parts: tuple[str, str, str, int], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        build(*parts)


@pytest.mark.parametrize(
    ("number", "serial"),
    [
        ("jy1310 1120-0123", "JY131011200123"),
        ("(2021)12", "202112"),
        ("ＡＢ－１２", "AB12"),
        ("2021/1/23", "2021123"),
    ],
)
def test_the_serial_is_the_cleaned_licence_number(number: str, serial: str) -> None:
    assert serial_from(number, Random(1)) == serial


@pytest.mark.parametrize("number", ["京食许2021第12号", "", "—/—", "12#34", "7" * 65, "①2"])
def test_the_serial_is_random_when_the_number_would_lose_what_tells_it_apart(number: str) -> None:
    first, second = serial_from(number, Random(1)), serial_from(number, Random(2))
    assert first != second
    assert {len(first), len(second)} == {20}
    assert build("1" * 21, "340100", first).is_consistent


def test_the_longest_text_fits_the_columns_of_other_libraries() -> None:
    assert len(str(build("1" * 21, "1" * 18, "Z" * 64, 999))) <= 128


def test_equal_parts_make_equal_identifiers() -> None:
    assert build("1" * 21, "340100", "7") == LicenceIdentifier(
        "1" * 21, "340100", "7", 1, build("1" * 21, "340100", "7").check
    )
