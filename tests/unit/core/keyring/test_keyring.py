"""Sealing, blind indexes and the wrapping of data keys."""

import base64
import time
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from core.errors import ConfigError, InternalError
from core.keyring import Keyring, WrappedKey, new_master, parse_master

MASTER = bytes(range(32))
JULY_S = time.mktime((2026, 7, 15, 12, 0, 0, 0, 0, 0))
AUGUST_S = JULY_S + 31 * 86400


class Shelf:
    """Wrapped keys in memory; the first of two keys with one id stays."""

    def __init__(self) -> None:
        self.keys: dict[str, WrappedKey] = {}
        self.loads = 0

    def load(self) -> list[WrappedKey]:
        self.loads += 1
        return list(self.keys.values())

    def add(self, key: WrappedKey) -> None:
        self.keys.setdefault(key.key_id, key)

    def rewrap(self, keys: Sequence[WrappedKey]) -> None:
        self.keys |= {key.key_id: key for key in keys}


def test_what_was_sealed_opens_for_the_same_place_only() -> None:
    keyring = Keyring(MASTER, Shelf())
    sealed = keyring.encrypt(b"secret", b"row 1")
    assert keyring.decrypt(sealed, b"row 1") == b"secret"
    with pytest.raises(InternalError):
        keyring.decrypt(sealed, b"row 2")


@pytest.mark.parametrize("index", range(48))
def test_a_flipped_bit_anywhere_is_noticed(index: int) -> None:
    keyring = Keyring(MASTER, Shelf())
    sealed = bytearray(keyring.encrypt(b"secret", b""))
    sealed[index % len(sealed)] ^= 1
    with pytest.raises(InternalError):
        keyring.decrypt(bytes(sealed), b"")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01\x07", b"\x02\x01d", b"\x01\xffshort"])
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    with pytest.raises(InternalError):
        Keyring(MASTER, Shelf()).decrypt(sealed, b"")


def test_equal_texts_are_sealed_differently_and_hold_no_clear_text() -> None:
    keyring = Keyring(MASTER, Shelf())
    first, second = keyring.encrypt(b"11010519491231002X", b""), keyring.encrypt(b"11010519491231002X", b"")
    assert first != second
    assert b"11010519491231002X" not in first


def test_two_processes_share_one_blind_and_one_receipt_key() -> None:
    shelf = Shelf()
    one, other = Keyring(MASTER, shelf), Keyring(MASTER, shelf)
    assert one.blind("holder_code", "A") == other.blind("holder_code", "A")
    assert one.receipt_key == other.receipt_key
    assert len(one.receipt_key) == 32


def test_blind_values_tell_fields_values_and_keys_apart() -> None:
    keyring = Keyring(MASTER, Shelf())
    values = {
        keyring.blind("holder_code", "A"),
        keyring.blind("holder_code", "B"),
        keyring.blind("other", "A"),
    }
    values.add(Keyring(MASTER, Shelf()).blind("holder_code", "A"))
    assert len(values) == 4
    assert keyring.blind_all("holder_code", "A") == [keyring.blind("holder_code", "A")]


def test_a_new_month_brings_a_new_key_and_the_old_ones_still_open() -> None:
    keyring = Keyring(MASTER, Shelf())
    keyring.roll(JULY_S)
    july = keyring.encrypt(b"x", b"")
    keyring.roll(AUGUST_S)
    august = keyring.encrypt(b"x", b"")
    assert (july[2:9], august[2:9]) == (b"d202607", b"d202608")
    assert keyring.decrypt(july, b"") == keyring.decrypt(august, b"") == b"x"


def test_a_key_made_by_another_process_is_fetched_when_first_met() -> None:
    shelf = Shelf()
    reader, writer = Keyring(MASTER, shelf), Keyring(MASTER, shelf)
    writer.roll(AUGUST_S)
    loads = shelf.loads
    assert reader.decrypt(writer.encrypt(b"x", b""), b"") == b"x"
    assert shelf.loads == loads + 1


def test_the_wrong_master_key_is_a_configuration_error_that_names_no_key() -> None:
    shelf = Shelf()
    Keyring(MASTER, shelf)
    with pytest.raises(ConfigError, match="was wrapped by master") as caught:
        Keyring(bytes(32), shelf)
    assert MASTER.hex() not in str(caught.value)


def test_a_swapped_data_key_does_not_unwrap() -> None:
    shelf = Shelf()
    Keyring(MASTER, shelf)
    shelf.keys["r1"] = replace(shelf.keys["r1"], wrapped=shelf.keys["b1"].wrapped)
    with pytest.raises(ConfigError):
        Keyring(MASTER, shelf)


def test_rotating_the_master_rewraps_keys_and_touches_no_sealed_value() -> None:
    shelf = Shelf()
    keyring = Keyring(MASTER, shelf)
    sealed = keyring.encrypt(b"x", b"")
    other = parse_master(new_master())
    assert keyring.rewrap(other) == 3
    assert Keyring(other, shelf).decrypt(sealed, b"") == b"x"
    with pytest.raises(ConfigError):
        Keyring(MASTER, shelf)


def test_master_keys_are_read_as_hexadecimal_or_base64() -> None:
    assert parse_master(MASTER.hex() + "\n") == MASTER
    assert parse_master(base64.b64encode(MASTER).decode()) == MASTER
    assert len(parse_master(new_master())) == 32


@pytest.mark.parametrize("text", ["", "abc", "zz" * 32, base64.b64encode(bytes(31)).decode()])
def test_anything_else_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_master(text)
    assert not text or text not in str(caught.value)
