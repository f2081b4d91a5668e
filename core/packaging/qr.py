"""QR codes (ISO/IEC 18004): versions 1 to 10, error correction M, one fixed mask.

A general library needs more than a millisecond per code, most of it for choosing a mask; readers accept any, so here the pattern
of each version is laid out once and a code only fills in its bits.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from operator import add, itemgetter
from typing import NamedTuple

from core.errors import InternalError

QUIET_ZONE = 4
"""Light modules around a code."""
_ALPHANUMERIC = {char: value for value, char in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")}
_PAIRS = {
    high + low: f"{45 * value + more:011b}"
    for high, value in _ALPHANUMERIC.items()
    for low, more in _ALPHANUMERIC.items()
}
"""Two characters -> their eleven bits."""
_BLOCKS: dict[int, tuple[int, tuple[int, ...]]] = {
    1: (10, (16,)),
    2: (16, (28,)),
    3: (26, (44,)),
    4: (18, (32,) * 2),
    5: (24, (43,) * 2),
    6: (16, (27,) * 4),
    7: (18, (31,) * 4),
    8: (22, (38,) * 2 + (39,) * 2),
    9: (22, (36,) * 3 + (37,) * 2),
    10: (26, (43,) * 4 + (44,)),
}
"""Version -> error correction codewords per block, data codewords of each block (level M, table 9)."""
_ALIGNMENT = {
    2: (6, 18),
    3: (6, 22),
    4: (6, 26),
    5: (6, 30),
    6: (6, 34),
    7: (6, 22, 38),
    8: (6, 24, 42),
    9: (6, 26, 46),
    10: (6, 28, 50),
}
_FORMAT_M_MASK_0 = 0b101010000010010
_LIGHT, _DARK, _FREE = 0, 1, 2
_FIXED = bytes((_LIGHT, _DARK))
_DIGITS = bytes.maketrans(b"01", _FIXED)


@lru_cache(maxsize=64)
def qr_rows(text: str) -> tuple[bytes, ...]:
    """Module rows of ``text`` with their quiet zone, one byte per module, 1 is dark.

    Raises ``InternalError`` for a text of more than some 200 characters: identifiers are shorter.
    """
    version, bits = _data_bits(text)
    layout = _layout(version)
    words = _codewords(version, bits)
    drawn = int.from_bytes(words, "big") ^ layout.flips
    modules = bytes(layout.pick(f"{drawn:0{8 * len(words)}b}".encode().translate(_DIGITS) + _FIXED))
    side = layout.side
    edge = bytes(QUIET_ZONE)
    rows = [edge + modules[start : start + side] + edge for start in range(0, side * side, side)]
    blank = [bytes(side + 2 * QUIET_ZONE)] * QUIET_ZONE
    return (*blank, *rows, *blank)


def _data_bits(text: str) -> tuple[int, str]:
    if _ALPHANUMERIC.keys() >= set(text):
        mode, count, narrow, wide, body = "0010", len(text), 9, 11, _alphanumeric_bits(text)
    else:
        data = text.encode()
        mode, count, narrow, wide, body = "0100", len(data), 8, 16, _binary(data)
    for version, (_, sizes) in _BLOCKS.items():
        head = f"{mode}{count:0{wide if version > 9 else narrow}b}"
        capacity = sum(sizes) * 8
        if len(head) + len(body) <= capacity and count < 1 << (len(head) - 4):
            return version, _padded(head + body, capacity)
    raise InternalError("the text of a QR code is too long")


def _binary(data: bytes) -> str:
    return f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}" if data else ""


def _alphanumeric_bits(text: str) -> str:
    pairs = "".join(map(_PAIRS.__getitem__, map(add, text[::2], text[1::2])))
    return pairs + (f"{_ALPHANUMERIC[text[-1]]:06b}" if len(text) % 2 else "")


def _padded(bits: str, capacity: int) -> str:
    bits = bits.ljust(min(len(bits) + 4, capacity), "0")
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return (bits + "1110110000010001" * (capacity // 16 + 1))[:capacity]


def _codewords(version: int, bits: str) -> bytes:
    """All codewords in their interleaved order."""
    correction, sizes = _BLOCKS[version]
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    blocks, start = [], 0
    for size in sizes:
        blocks.append(data[start : start + size])
        start += size
    checks = [_check_codewords(block, correction) for block in blocks]
    mixed = [block[index] for index in range(max(sizes)) for block in blocks if index < len(block)]
    mixed += [check[index] for index in range(correction) for check in checks]
    return bytes(mixed)


def _check_codewords(block: bytes, count: int) -> bytes:
    table, top, whole = _remainders(count), 8 * (count - 1), (1 << 8 * count) - 1
    remainder = 0
    for byte in block:
        remainder = (remainder << 8 & whole) ^ table[remainder >> top ^ byte]
    return remainder.to_bytes(count, "big")


@cache
def _remainders(count: int) -> list[int]:
    """Multiples of the generator polynomial of ``count`` check codewords, each as one number."""
    generator = [1]
    for power in range(count):
        root = _power_of_two(power)
        shifted, scaled = [*generator, 0], [0, *(_product(term, root) for term in generator)]
        generator = [left ^ right for left, right in zip(shifted, scaled, strict=True)]
    return [
        int.from_bytes(bytes(_product(term, factor) for term in generator[1:]), "big")
        for factor in range(256)
    ]


def _product(left: int, right: int) -> int:
    """Product in GF(256) with the polynomial x^8 + x^4 + x^3 + x^2 + 1."""
    result = 0
    while right:
        if right & 1:
            result ^= left
        left = left << 1 ^ (0x11D if left & 0x80 else 0)
        right >>= 1
    return result


def _power_of_two(exponent: int) -> int:
    value = 1
    for _ in range(exponent):
        value = _product(value, 2)
    return value


class _Layout(NamedTuple):
    """The fixed pattern of a version, where its codewords go, and which of their bits the mask flips."""

    side: int
    pick: Callable[[bytes], tuple[int, ...]]
    """All modules, row by row, out of the codeword bits followed by ``_FIXED``."""
    flips: int


@cache
def _layout(version: int) -> _Layout:
    side = 17 + 4 * version
    grid = [[_FREE] * side for _ in range(side)]
    _draw_finders(grid, side)
    _draw_alignment(grid, version)
    for step in range(8, side - 8):
        grid[6][step] = grid[step][6] = 1 - step % 2
    _draw_format(grid, side)
    if version >= 7:
        _draw_version(grid, side, version)
    places = [(row, column) for row, column in _zigzag(side) if grid[row][column] == _FREE]
    count = 8 * (sum(_BLOCKS[version][1]) + _BLOCKS[version][0] * len(_BLOCKS[version][1]))
    sources = {place: index for index, place in enumerate(places[:count])}
    sources |= {(row, column): count + _masked(row, column) for row, column in places[count:]}
    picks = [
        sources[row, column] if module == _FREE else count + module
        for row, line in enumerate(grid)
        for column, module in enumerate(line)
    ]
    flips = int("".join(str(_masked(row, column)) for row, column in places[:count]), 2)
    return _Layout(side, itemgetter(*picks), flips)


def _masked(row: int, column: int) -> int:
    """Mask 0: whether a module is flipped."""
    return 1 - (row + column) % 2


def _draw_finders(grid: list[list[int]], side: int) -> None:
    for top, left in ((0, 0), (0, side - 7), (side - 7, 0)):
        for row in range(max(top - 1, 0), min(top + 8, side)):
            for column in range(max(left - 1, 0), min(left + 8, side)):
                ring = max(abs(row - top - 3), abs(column - left - 3))
                grid[row][column] = _DARK if ring in (0, 1, 3) else _LIGHT


def _draw_alignment(grid: list[list[int]], version: int) -> None:
    centres = _ALIGNMENT.get(version, ())
    for row in centres:
        for column in centres:
            if grid[row][column] != _FREE:
                continue
            for y in range(-2, 3):
                for x in range(-2, 3):
                    grid[row + y][column + x] = _LIGHT if max(abs(y), abs(x)) == 1 else _DARK


def _draw_format(grid: list[list[int]], side: int) -> None:
    for index in range(15):
        bit = _FORMAT_M_MASK_0 >> index & 1
        upright = index if index < 6 else index + 1 if index < 8 else side - 15 + index
        flat = side - 1 - index if index < 8 else 15 - index if index == 8 else 14 - index
        grid[upright][8] = bit
        grid[8][flat] = bit
    grid[side - 8][8] = _DARK


def _draw_version(grid: list[list[int]], side: int, version: int) -> None:
    remainder = version << 12
    for shift in range(17, 11, -1):
        if remainder >> shift & 1:
            remainder ^= 0x1F25 << (shift - 12)
    value = version << 12 | remainder
    for index in range(18):
        row, column = index // 3, side - 11 + index % 3
        grid[row][column] = grid[column][row] = value >> index & 1


def _zigzag(side: int) -> list[tuple[int, int]]:
    """Module places in the order codewords fill them: column pairs from the right, up and down in turn."""
    places = []
    upward = True
    for right in range(side - 1, 0, -2):
        column = right if right > 6 else right - 1
        rows = range(side - 1, -1, -1) if upward else range(side)
        places += [(row, column - shift) for row in rows for shift in (0, 1)]
        upward = not upward
    return places
