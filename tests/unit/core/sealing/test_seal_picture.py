import io
from pathlib import Path

import pytest
from PIL import Image

from core.sealing.picture import LIMIT_BYTES, SealText, draw_seal

FONTS = sorted(
    font
    for folder in (Path(__file__).parents[4] / "core/packaging/fonts", Path("/usr/share/fonts"))
    for font in folder.rglob("*.ttf")
    if folder.name == "fonts" and ("WenKai" in font.name or "core" in folder.parts)
)
pytestmark = pytest.mark.skipif(not FONTS, reason="no font with Chinese characters at hand")


def ink(picture: Image.Image, box: tuple[int, int, int, int]) -> int:
    """Pixels more than half covered in a box."""
    return sum(1 for value in picture.getchannel("A").crop(box).tobytes() if value > 127)


@pytest.mark.parametrize(
    "owner", ["海州县", "滨海市行政审批服务局", "青岛西海岸新区市场监督管理局黄岛分局", "疆" * 28, "疆" * 60]
)
def test_a_seal_is_small_red_and_drawn_where_a_seal_is_drawn(owner: str) -> None:
    data = draw_seal(SealText(owner, "电子证照专用章"), FONTS[0])
    assert len(data) <= LIMIT_BYTES
    opened = Image.open(io.BytesIO(data))
    assert opened.mode == "P"
    picture = opened.convert("RGBA")
    size = picture.width
    assert picture.getpixel((size // 2, size // 2)) == (204, 20, 28, 255), "the star covers the centre"
    assert picture.getpixel((size // 2, 6))[3] == 255, "the ring touches the top"  # type: ignore[index]  # RGBA gives a tuple
    assert picture.getpixel((2, 2))[3] == 0, "corners are transparent"  # type: ignore[index]  # as above
    assert ink(picture, (0, 20, size, size // 4)) > 100, "the name stands on the arc"
    assert ink(picture, (size // 4, round(size * 0.71), size * 3 // 4, round(size * 0.8))) > 100, (
        "the line stands below"
    )


def test_without_a_line_the_place_below_the_star_is_free() -> None:
    picture = Image.open(io.BytesIO(draw_seal(SealText("海州县"), FONTS[0]))).convert("RGBA")
    size = picture.width
    assert ink(picture, (size // 4, round(size * 0.7), size * 3 // 4, round(size * 0.85))) == 0


def test_the_same_seal_is_drawn_byte_for_byte_again() -> None:
    assert draw_seal(SealText("海州县"), FONTS[0]) == draw_seal(SealText("海州县"), FONTS[0])


def test_a_seal_without_an_owner_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="owner"):
        draw_seal(SealText(" "), FONTS[0])
