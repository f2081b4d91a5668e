"""The demonstration's own check digits against published vectors (FIELD: codes of real public bodies and samples)."""

from random import Random

import pytest

from licencehub.demo import check_digits
from licencehub.demo.authorities import HEALTH, MARKET, TRANSPORT


@pytest.mark.parametrize(
    "code",
    [
        "11100000000013338W",
        "11220000013544541J",
        "11100000000013661B",
        "113700000045046442",
        "11430000006122244L",
        "11330105002500287C",
        "11100000MB03271699",
        "91310000MA7CX0HM9U",
        "91350100M000100Y43",
    ],
)
def test_credit_codes_of_real_bodies_have_the_check_character_computed_here(code: str) -> None:
    assert check_digits._credit_check(code[:17]) == code[17]
    assert check_digits._organisation_check(code[8:16]) == code[16]


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014", "34052419800101001X"])
def test_the_citizen_check_digit_is_that_of_the_standard(number: str) -> None:
    assert check_digits.citizen_check(number[:17]) == number[17]


def test_the_codes_of_the_invented_authorities_are_well_formed() -> None:
    for authority in (MARKET, HEALTH, TRANSPORT):
        assert check_digits._credit_check(authority.code[:17]) == authority.code[17]
        assert len(authority.type_code) == 21


def test_nothing_made_here_belongs_to_a_division_that_exists() -> None:
    random = Random(1)
    assert check_digits.credit_code(random, "91")[2:8] == "999999"
    assert check_digits.citizen_number(random, "19800101")[:6] == "999999"
    assert check_digits.registration_number(random)[:6] == "999999"


def test_a_spoiled_code_differs_in_its_last_character_alone() -> None:
    random = Random(2)
    for code in (check_digits.credit_code(random, "91"), check_digits.citizen_number(random, "19800101")):
        spoiled = check_digits.with_wrong_check(code)
        assert spoiled[:17] == code[:17]
        assert spoiled[17] != code[17]
