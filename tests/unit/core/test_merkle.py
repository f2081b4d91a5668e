"""The journal's Merkle tree against a plain recursive reading of RFC 6962."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import merkle


def rfc6962_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + rfc6962_root(leaves[:split]) + rfc6962_root(leaves[split:])).digest()


def test_the_known_root_of_the_certificate_transparency_test_tree() -> None:
    leaves = [
        bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")
    ]
    leaves.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
    frontier, size = merkle.append(b"", 0, map(merkle.leaf_hash, leaves))
    assert size == 8
    assert merkle.root(frontier).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(st.lists(st.binary(max_size=8), max_size=40), st.integers(0, 40))
def test_appending_in_two_steps_gives_the_root_of_the_whole(leaves: list[bytes], cut: int) -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    frontier, size = merkle.append(b"", 0, hashes[:cut])
    frontier, size = merkle.append(frontier, size, hashes[cut:])
    assert size == len(leaves)
    assert merkle.root(frontier) == rfc6962_root(leaves)


def test_a_frontier_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="does not belong"):
        merkle.append(b"", 3, [merkle.leaf_hash(b"x")])
