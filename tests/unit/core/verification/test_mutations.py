"""Damaged files by the thousand: each gets a report, in bounded time and memory, and none passes that was really changed."""

import json
import os
import re
import sys
import time
import zipfile
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random, SystemRandom

import pytest

from core.ports.signer import Algorithm
from core.sealing.ses import parse_signature
from core.verification.report import Verdict
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from mutation_material import damaged, with_lying_sizes
from ofd_material import own_package, sealed, zipped
from pdf_material import foreign_pdf, own_pdf, stamped_pdf
from signing_material import GOLDEN, NOON, YEAR, material

LONGEST_S = 5.0
MOST_MB = 50
MINUTES = float(os.environ.get("LICENCE_HUB_SOAK_MINUTES", "15"))
_BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)\s+(\d+)\s*\]")


@cache
def seeds() -> tuple[bytes, ...]:
    ecdsa = material(Algorithm.ECDSA_P256_SHA256).signer
    once = foreign_pdf(ecdsa)
    ours = [zipped(sealed()), own_package(), own_pdf(ecdsa), once, foreign_pdf(ecdsa, once, field="S2")]
    return (*ours, stamped_pdf(ecdsa), *(file.read_bytes() for file in sorted(GOLDEN.glob("*.ofd"))))


@cache
def trust() -> TrustStore:
    value = parse_signature((GOLDEN / "SignedValueV4.dat").read_bytes())
    roots = [material(algorithm).root.certificate for algorithm in Algorithm]
    return TrustStore.of([*roots, value.certificate, value.seal.maker_certificate])


def signed_parts(data: bytes) -> dict[str, bytes]:
    """What a file has that may not change while it is valid: members that are drawn, or the first signed range."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return {name: archive.read(name) for name in archive.namelist() if "/Signs/" not in name}
    found = _BYTE_RANGE.search(data)
    if found is None:
        return {}
    size, second, rest = map(int, found.groups())
    return {"before": data[:size], "after": data[second : second + rest]}


def is_refused_by_zipfile(data: bytes) -> bool:
    """Whether a header asks for a newer reader: such a file shows nothing at all there."""
    try:
        signed_parts(data)
    except NotImplementedError:
        return True
    return False


def one_more(random: Random) -> float:
    """Verifies one damaged file; how long it took, in seconds."""
    seed = random.choice(seeds())
    data = damaged(random, seed, list(seeds()))
    if random.random() < 0.05:
        data = with_lying_sizes(random, data)
    began = time.perf_counter()
    report = verify_file(data, trust(), now=NOON + YEAR)
    took = time.perf_counter() - began
    assert "internal" not in {result.reason.code for result in report.steps}
    json.dumps(report.as_dict())
    if report.verdict is Verdict.VALID and not is_refused_by_zipfile(data):
        assert signed_parts(data) == signed_parts(seed)
    assert verify_file(data, TrustStore(), now=NOON + YEAR).verdict is not Verdict.VALID
    return took


def peak_mb() -> float:
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def say(capsys: pytest.CaptureFixture[str], line: str) -> None:
    with capsys.disabled():
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def test_the_seeds_are_valid_where_they_should_be() -> None:
    verdicts = [verify_file(seed, trust(), now=NOON + YEAR).verdict for seed in seeds()]
    assert verdicts.count(Verdict.VALID) >= 6


def test_a_few_hundred_damaged_files_get_their_reports() -> None:
    random = Random(20260601)
    assert max(one_more(random) for _ in range(400)) < LONGEST_S


@pytest.mark.soak
def test_damaged_files_for_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    seed = int(os.environ.get("LICENCE_HUB_SOAK_SEED", SystemRandom().randrange(1 << 32)))
    random, count, longest = Random(seed), 0, 0.0
    for file in seeds():
        verify_file(file, trust(), now=NOON + YEAR)
    idle, began = peak_mb(), time.monotonic()
    say(capsys, f"seed {seed}, {MINUTES:g} minutes, idle {idle:.0f} MB")
    while time.monotonic() - began < MINUTES * 60:
        longest, count = max(longest, one_more(random)), count + 1
    say(capsys, f"{count} files, longest {longest:.3f} s, {peak_mb() - idle:.1f} MB above idle")
    assert longest < LONGEST_S
    assert peak_mb() - idle < MOST_MB
