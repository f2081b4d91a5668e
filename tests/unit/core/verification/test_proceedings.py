import pytest

from core.verification.proceedings import genuine


@pytest.mark.parametrize(
    ("signatures", "en"), [(1, "1 signature is genuine"), (2, "2 signatures are genuine")]
)
def test_signatures_are_counted_in_good_english(signatures: int, en: str) -> None:
    assert genuine(signatures).en == en
    assert str(signatures) in genuine(signatures).zh
