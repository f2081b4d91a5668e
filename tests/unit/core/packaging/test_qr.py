import io
from collections.abc import Sequence

import pytest
import qrcode
from PIL import Image

from core.errors import InternalError
from core.packaging.qr import QUIET_ZONE, qr_rows
from core.packaging.qr_picture import qr_png

IDENTIFIER = "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0"


@pytest.mark.parametrize("length", range(3, 300, 7))
def test_alphanumeric_codes_equal_those_of_an_independent_encoder(length: int) -> None:
    text = ((IDENTIFIER + ":/ $%*+-") * 5)[:length]
    assert plain(qr_rows(text)) == reference(text)


@pytest.mark.parametrize("length", range(1, 210, 11))
def test_byte_codes_equal_those_of_an_independent_encoder(length: int) -> None:
    text = ("https://hub.example.gov.cn/v?id=" + IDENTIFIER.lower() * 3)[:length] + "a"
    assert plain(qr_rows(text)) == reference(text)


def plain(rows: Sequence[bytes]) -> list[bytes]:
    assert not any(any(row) for row in (*rows[:QUIET_ZONE], *rows[-QUIET_ZONE:]))
    return [row[QUIET_ZONE:-QUIET_ZONE] for row in rows[QUIET_ZONE:-QUIET_ZONE]]


def reference(text: str) -> list[bytes]:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, mask_pattern=0, border=0)
    code.add_data(text, optimize=0)
    code.make(fit=True)
    return [bytes(map(int, row)) for row in code.get_matrix()]


def test_a_text_too_long_is_refused() -> None:
    with pytest.raises(InternalError):
        qr_rows("A" * 400)


def test_the_picture_shows_each_module_as_a_square() -> None:
    rows = qr_rows(IDENTIFIER)
    with Image.open(io.BytesIO(qr_png(rows, scale=3))) as picture:
        picture.load()
        assert picture.size == (len(rows) * 3, len(rows) * 3)
        shown = [
            bytes(0 if picture.getpixel((column * 3 + 1, row * 3 + 2)) else 1 for column in range(len(rows)))
            for row in range(len(rows))
        ]
    assert tuple(shown) == rows
