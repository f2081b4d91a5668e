"""Files of any size stream: the peak of a process that reads a big one stays under a fixed bound."""

import subprocess
import sys
from pathlib import Path

import pytest

LIMIT_MB = 150

CHILD = """
import re, sys
sys.path[:0] = {path!r}
import msgspec
from adapters.decoding import decode, drafts
from contracts.interface import Interface
from contracts.mapping import compile_interface

declared = msgspec.json.decode(sys.argv[2].encode(), type=Interface)
translator = compile_interface(declared)
with open(sys.argv[1], "rb") as stream:
    count = sum(1 for draft in drafts(decode(stream, translator), translator) if draft.record is not None)
# not ru_maxrss: that one begins with what the parent used
print(count, int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""

INTERFACE = (
    '{"name": "t", "department": "d", "licence_type": "T", "protocol": "file", "source": {"format": "%s"},'
    ' "fields": {"licence_number": {"source": "n"}, "licence_name": {"source": "t"}, "issued_on": {"source": "d"}}%s}'
)
GROUP = ', "group": {"by": ["g"], "item": "KZ", "fields": {"x": {"source": "n"}}}'
TEXT = "食品经营许可证" * 45


def read(path: Path, interface: str) -> tuple[int, int]:
    """(records, peak in MB) of a process that reads the file."""
    command = [sys.executable, "-c", CHILD.format(path=sys.path), str(path), interface]
    child = subprocess.run(command, capture_output=True, check=True, text=True)
    count, peak_mb = map(int, child.stdout.split())
    return count, peak_mb


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_csv_of_200_mb_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path, rows = tmp_path / "big.csv", 220_000
    with path.open("w", encoding="utf-8") as out:
        out.write("n,t,d,g\n")
        for number in range(rows):
            out.write(f"{number},{TEXT},2024-01-02,{number % 1000}\n")
    assert path.stat().st_size > 200 * 1024**2
    count, peak_mb = read(path, INTERFACE % ("csv", ""))
    assert count == rows
    assert peak_mb < LIMIT_MB


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_rows_of_many_licences_are_gathered_in_bounded_memory(tmp_path: Path) -> None:
    path, licences = tmp_path / "groups.csv", 100_000
    with path.open("w", encoding="utf-8") as out:
        out.write("n,t,d,g\n")
        for _turn in range(2):
            for number in range(licences):
                out.write(f"{number},{TEXT},2024-01-02,{number}\n")
    count, peak_mb = read(path, INTERFACE % ("csv", GROUP))
    assert count == licences
    assert peak_mb < LIMIT_MB


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_json_document_of_100_mb_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path, rows = tmp_path / "big.json", 110_000
    with path.open("w", encoding="utf-8") as out:
        out.write("[")
        for number in range(rows):
            out.write(("," if number else "") + f'{{"n": {number}, "t": "{TEXT}", "d": "2024-01-02"}}')
        out.write("]")
    count, peak_mb = read(path, INTERFACE % ("json", ""))
    assert count == rows
    assert peak_mb < LIMIT_MB
