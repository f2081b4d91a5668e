"""The Merkle tree of the journal: hashes and frontier of RFC 6962 section 2.1.

A tree of ``size`` leaves is kept as its *frontier*: the roots of the perfect subtrees its size decomposes into, largest
first, 32 bytes each. Appending touches only the frontier, so the sequencer needs no history.
"""

import hashlib
from collections.abc import Iterable
from uuid import UUID

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(content: bytes) -> bytes:
    """SHA-256 of a leaf, with the prefix that keeps leaves and nodes apart."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def append(frontier: bytes, size: int, leaves: Iterable[bytes]) -> tuple[bytes, int]:
    """Frontier and size after appending leaf hashes to a tree of ``size`` leaves."""
    roots = [frontier[i : i + HASH_BYTES] for i in range(0, len(frontier), HASH_BYTES)]
    if len(roots) != size.bit_count():
        raise ValueError(f"a frontier of {len(roots)} roots does not belong to a tree of {size} leaves")
    for leaf in leaves:
        node, rest = leaf, size
        while rest & 1:
            node = node_hash(roots.pop(), node)
            rest >>= 1
        roots.append(node)
        size += 1
    return b"".join(roots), size


def root(frontier: bytes) -> bytes:
    """Root hash of the tree with that frontier."""
    roots = [frontier[i : i + HASH_BYTES] for i in range(0, len(frontier), HASH_BYTES)]
    if not roots:
        return EMPTY_ROOT
    node = roots.pop()
    while roots:
        node = node_hash(roots.pop(), node)
    return node


def entry_content(number: int, id_: UUID, kind: str, subject: str, at_ms: int, data: bytes) -> bytes:
    """What the leaf of a journal entry covers: every field, one a line, the data last."""
    return f"{number}\n{id_}\n{kind}\n{subject}\n{at_ms}\n".encode() + data


def checkpoint_content(hub: str, size: int, root_hash: bytes, at_ms: int) -> bytes:
    """What a checkpoint's signature covers."""
    return f"licence-hub journal\n{hub}\n{size}\n{root_hash.hex()}\n{at_ms}\n".encode()
