"""Check digits, written for the demonstration from the standards alone.

The generator is the judge of the hub's answers, so nothing here may come from the hub's own code: GB 32100-2015 (unified social
credit code), GB 11714 (organisation code), GB 11643-1999 (citizen identity number), GS15-2006 (business registration number).
"""

from random import Random

CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
NO_DIVISION = "999999"
"""A division that does not exist: nothing made here can be a real body or person."""
PLACEHOLDER = "00000000000000000X"


def credit_code(random: Random, department_and_class: str) -> str:
    """A unified social credit code with its two check characters; ``91`` is a company's, ``11`` an authority's."""
    subject = "".join(random.choice(CREDIT_ALPHABET) for _ in range(8))
    body = department_and_class + NO_DIVISION + subject + _organisation_check(subject)
    return body + _credit_check(body)


def citizen_number(random: Random, born: str) -> str:
    """A citizen identity number of nobody, for a birth date ``YYYYMMDD``."""
    body = NO_DIVISION + born + f"{random.randrange(1000):03d}"
    return body + citizen_check(body)


def citizen_check(body: str) -> str:
    """The check character of the first 17 digits: weights are the powers of two modulo 11."""
    weighted = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(body))
    return "10X98765432"[weighted % 11]


def registration_number(random: Random) -> str:
    """A 15-digit business registration number."""
    body = NO_DIVISION + f"{random.randrange(10**8):08d}"
    rest = 10
    for digit in body:
        rest = (rest + int(digit)) % 10
        rest = (rest or 10) * 2 % 11
    return body + str((11 - rest) % 10)


def with_wrong_check(code: str) -> str:
    """The code with another last character than its own, so that only the check digit is wrong."""
    if len(code) == 18 and code[:17].isdigit() and code.startswith(NO_DIVISION):
        return code[:17] + ("1" if code[17] != "1" else "2")
    return code[:17] + ("A" if code[17] != "A" else "B")


def _credit_check(body: str) -> str:
    total = sum(CREDIT_ALPHABET.index(character) * 3**place for place, character in enumerate(body))
    return CREDIT_ALPHABET[(31 - total % 31) % 31]


def _organisation_check(subject: str) -> str:
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * int(character, 36) for weight, character in zip(weights, subject, strict=True))
    rest = 11 - total % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))
