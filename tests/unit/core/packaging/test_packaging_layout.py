import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.packaging.layout import Box, TextRule, set_text
from core.packaging.typeface import missing_glyphs, typeface

BOX = Box(10, 10, 40, 10)
LONG = "许可项目：食品销售；餐饮服务（不含凉菜、裱花蛋糕、生食海产品）、ABC-123 型预包装食品。" * 3


def width_mm(advances: tuple[float, ...]) -> float:
    return sum(advances)


def test_a_short_text_stands_on_one_line_at_full_size() -> None:
    text = set_text("名称", BOX, TextRule(size_pt=10), typeface())
    assert text is not None
    assert [line.text for line in text.lines] == ["名称"]
    assert text.size_mm == pytest.approx(3.528)


@pytest.mark.parametrize(("align", "x"), [("left", 0), ("center", (40 - 7.056) / 2), ("right", 40 - 7.056)])
def test_text_is_aligned_in_its_box(align: str, x: float) -> None:
    rule = TextRule(size_pt=10, align=align)  # type: ignore[arg-type]  # the three words above
    text = set_text("名称", BOX, rule, typeface())
    assert text is not None
    assert text.lines[0].x == pytest.approx(x, abs=0.01)


def test_a_long_text_shrinks_and_wraps_until_it_fits_and_never_leaves_its_box() -> None:
    box = Box(0, 0, 60, 20)
    text = set_text(LONG, box, TextRule(size_pt=14, min_size_pt=5, valign="top"), typeface())
    assert text is not None
    assert text.size_mm < 14 * 25.4 / 72
    assert "".join(line.text for line in text.lines) == LONG
    for line in text.lines:
        assert line.x + width_mm(line.advances) <= box.width + 0.05
        assert 0 < line.baseline <= box.height
    baselines = [line.baseline for line in text.lines]
    assert all(later - earlier >= text.size_mm for earlier, later in itertools.pairwise(baselines))


def test_a_text_that_does_not_fit_at_its_smallest_size_is_refused() -> None:
    assert set_text(LONG, BOX, TextRule(size_pt=14, min_size_pt=9), typeface()) is None


def test_a_text_that_may_not_wrap_only_shrinks() -> None:
    text = set_text("9" * 40, BOX, TextRule(size_pt=14, min_size_pt=4, wrap=False), typeface())
    assert text is not None
    assert len(text.lines) == 1
    assert width_mm(text.lines[0].advances) <= BOX.width + 0.05


def test_lines_do_not_start_with_closing_punctuation_nor_break_words() -> None:
    text = set_text(LONG, Box(0, 0, 45, 200), TextRule(size_pt=10, valign="top"), typeface())
    assert text is not None
    assert len(text.lines) > 4
    for line in text.lines[1:]:
        assert line.text[0] not in "，。、；：）"
    joined = [line.text for line in text.lines]
    assert not any(
        left.endswith("AB") and right.startswith("C") for left, right in itertools.pairwise(joined)
    )


def test_the_shipped_font_covers_gb2312_and_the_names_beyond_it() -> None:
    assert missing_glyphs("喆堃珺祎昇〇张王李" + "ABCabc0123（）《》") == ()
    for row in range(0xB0, 0xF8):
        cells = bytes(byte for cell in range(0xA1, 0xFA) for byte in (row, cell))
        assert missing_glyphs(cells.decode("gb2312")) == ()


def test_missing_glyphs_are_named_once_each() -> None:
    assert missing_glyphs("王\U00020bb7\U00020bb7\U0002a6a5\n明") == ("\U00020bb7", "\U0002a6a5")


TEXTS = st.text(alphabet="许可项目食品（）：；。、，《》ABC-123 x/", max_size=120)
BOXES = st.builds(Box, st.just(0.0), st.just(0.0), st.floats(3, 120), st.floats(2, 60))
RULES = st.builds(
    TextRule,
    size_pt=st.floats(6, 40),
    min_size_pt=st.floats(0, 6),
    align=st.sampled_from(["left", "center", "right"]),
    valign=st.sampled_from(["top", "middle", "bottom"]),
    wrap=st.booleans(),
    line_height=st.floats(1.0, 2.0),
    spacing_em=st.floats(0, 0.5),
)


@given(TEXTS, BOXES, RULES)
def test_whatever_is_set_stands_in_its_box_whole_and_line_below_line(
    text: str, box: Box, rule: TextRule
) -> None:
    found = set_text(text, box, rule, typeface())
    if found is None:
        return
    assert "".join(line.text for line in found.lines) == text
    above = 0.0
    for line in found.lines:
        top = line.baseline - 0.88 * found.size_mm
        assert top >= above - 0.02
        above = top + found.size_mm
        assert above <= box.height + 0.02
        if len(line.text) > 1:
            ink = sum(line.advances) - rule.spacing_em * found.size_mm - trailing_mm(line.text, line.advances)
            assert line.x + ink <= box.width + 0.01 * len(line.text)


def trailing_mm(text: str, advances: tuple[float, ...]) -> float:
    """Blanks at the end of a line may hang over its box."""
    blanks = len(text) - len(text.rstrip(" "))
    return sum(advances[len(text) - blanks :])
