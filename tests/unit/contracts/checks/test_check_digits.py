"""The published vectors of each scheme, and what each fault says."""

import pytest

from contracts.checks import citizen_id, mod37_36, organisation_code, registration_number, uscc
from contracts.fault import Disposition

USCC_VALID = [
    "11100000000013338W",
    "11220000013544541J",
    "11100000000013661B",
    "113700000045046442",
    "11430000006122244L",
    "11330105002500287C",
    "11100000MB03271699",
    "91310000MA7CX0HM9U",
    "11310000MB2F056267",
    "11420503087246977F",
    "91350100M000100Y43",
]
CITIZEN_ID_VALID = ["11010519491231002X", "440524188001010014", "34052419800101001X"]


@pytest.mark.parametrize("code", USCC_VALID)
def test_a_published_uscc_is_valid_and_gives_its_check_character(code: str) -> None:
    assert uscc.is_valid(code)
    assert uscc.fault(code) is None
    assert uscc.check_character(code[:17]) == code[17]


@pytest.mark.parametrize(
    ("body", "check"), [("12100000400000624", "D"), ("11110000000000001", "R"), ("91110000000000001", "H")]
)
def test_a_uscc_body_gets_the_published_check_character(body: str, check: str) -> None:
    assert uscc.check_character(body) == check


@pytest.mark.parametrize(
    ("text", "rule", "says"),
    [
        ("91110000000000001", "uscc.length", "this one has 17"),
        ("", "uscc.length", "this one has 0"),
        ("9111000000000000IH", "uscc.alphabet", "character 17 (I)"),
        ("9111000000000000１H", "uscc.alphabet", "character 17 (１)"),
        ("911100A0000000001H", "uscc.division", "characters 3 to 8"),
        ("91110000000000001J", "uscc.check-digit", "should be H"),
        (uscc.PLACEHOLDER, "uscc.placeholder", "placeholder for sole traders"),
    ],
)
def test_a_wrong_uscc_is_told_what_is_wrong(text: str, rule: str, says: str) -> None:
    fault = uscc.fault(text, "/XK_XDR_SHXYM")
    assert not uscc.is_valid(text)
    assert fault is not None
    assert (fault.rule, fault.pointer, fault.value) == (rule, "/XK_XDR_SHXYM", text)
    assert says in fault.message


def test_a_division_with_letters_is_refused_even_under_a_right_check_digit() -> None:
    body = "911100A0000000001"
    assert not uscc.is_valid(body + uscc.check_character(body))


def test_the_placeholder_is_recognised_and_is_not_a_valid_code() -> None:
    assert uscc.is_placeholder("00000000000000000X")
    assert not uscc.is_valid("00000000000000000X")
    assert uscc.check_character("0" * 17) == "0"


@pytest.mark.parametrize("number", CITIZEN_ID_VALID)
def test_a_published_citizen_id_is_valid(number: str) -> None:
    assert citizen_id.is_valid(number)
    assert citizen_id.fault(number) is None


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("110105194912310021", "citizen-id.check-digit"),
        ("11010519491231002", "citizen-id.length"),
        ("1101051949123100XX", "citizen-id.alphabet"),
        ("110105194902300024", "citizen-id.birth-date"),
        ("110105000001010024", "citizen-id.birth-date"),
        ("999999200001010011", "citizen-id.division"),
    ],
)
def test_a_wrong_citizen_id_is_told_what_is_wrong_and_masked(number: str, rule: str) -> None:
    fault = citizen_id.fault(number, "/holders/0/code")
    assert not citizen_id.is_valid(number)
    assert fault is not None
    assert fault.rule == rule
    assert fault.value == "*" * (len(number) - 4) + number[-4:]
    assert number not in str(fault)


def test_an_impossible_division_is_for_a_person_to_decide_because_divisions_are_withdrawn() -> None:
    fault = citizen_id.fault("999999200001010011")
    assert fault is not None
    assert fault.disposition is Disposition.QUARANTINE


def test_a_mistyped_citizen_id_is_still_recognised_as_one() -> None:
    assert citizen_id.is_likely("110105194912310021")
    assert not any(citizen_id.is_likely(code) for code in (*USCC_VALID, "110105194902300024", "1"))


def test_an_old_citizen_id_is_upgraded_to_eighteen_characters() -> None:
    assert citizen_id.upgrade("110105491231002") == "11010519491231002X"
    with pytest.raises(ValueError, match="15-digit"):
        citizen_id.upgrade("11010519491231002X")


@pytest.mark.parametrize("code", ["D2143569X", "000013338", "087246977", "MA7CX0HM9"])
def test_a_published_organisation_code_is_valid(code: str) -> None:
    assert organisation_code.is_valid(code)
    assert organisation_code.fault(code) is None


@pytest.mark.parametrize(
    ("code", "rule"),
    [("D21435690", "organisation-code.check-digit"), ("D2143569-X", "organisation-code.shape")],
)
def test_a_wrong_organisation_code_is_told_what_is_wrong(code: str, rule: str) -> None:
    fault = organisation_code.fault(code)
    assert fault is not None
    assert fault.rule == rule


def test_a_registration_number_ends_in_its_hybrid_check_digit() -> None:
    assert registration_number.check_character("11010800000001") == _mod11_10("11010800000001")
    assert registration_number.is_valid("11010800000001" + _mod11_10("11010800000001"))


@pytest.mark.parametrize(
    ("number", "rule"),
    [("1101080000000", "registration-number.shape"), ("1101080000000１6", "registration-number.shape")],
)
def test_a_malformed_registration_number_is_told_what_is_wrong(number: str, rule: str) -> None:
    fault = registration_number.fault(number)
    assert fault is not None
    assert fault.rule == rule


def test_a_registration_number_with_another_check_digit_is_refused() -> None:
    good = _mod11_10("11010800000001")
    fault = registration_number.fault("11010800000001" + str((int(good) + 1) % 10))
    assert fault is not None
    assert fault.rule == "registration-number.check-digit"
    assert good in fault.message


def test_the_bare_mod37_36_scheme_says_what_is_wrong() -> None:
    assert mod37_36.is_valid("A1" + mod37_36.check_character("A1"))
    lower, other = mod37_36.fault("a1B"), mod37_36.fault("A1" + _other_than(mod37_36.check_character("A1")))
    assert lower is not None
    assert other is not None
    assert (lower.rule, other.rule) == ("mod37-36.alphabet", "mod37-36.check-digit")


@pytest.mark.parametrize(
    ("scheme", "body"),
    [
        (uscc, "123"),
        (citizen_id, "A" * 17),
        (organisation_code, "123"),
        (registration_number, "1"),
        (mod37_36, ""),
    ],
)
def test_no_check_character_is_made_for_a_malformed_body(scheme: object, body: str) -> None:
    with pytest.raises(ValueError, match="body must be"):
        scheme.check_character(body)  # type: ignore[attr-defined]  # the five modules share these names, not a type


def _other_than(character: str) -> str:
    return "0" if character != "0" else "1"


def _mod11_10(body: str) -> str:
    """GS15-2006 as its text words it: the sum after the last step must be 1 modulo 10, found by trying every digit."""
    for check in "0123456789":
        product = 10
        for digit in body:
            total = (int(digit) + product) % 10
            product = ((10 if total == 0 else total) * 2) % 11
        if (product + int(check)) % 10 == 1:
            return check
    raise AssertionError("no digit fits")
