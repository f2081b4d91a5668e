"""The tutorial is run as it is printed: its files are written, its commands executed in order, its outputs compared."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from services.process import free_port

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
_BLOCK = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<kind>\w+)(?: exit=(?P<status>\d+))?\n(?P<text>.*?)```\n",
    re.DOTALL,
)
_END = "@@ end of block"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


class Block(NamedTuple):
    """A fenced block of the page."""

    file: str
    kind: str
    status: int
    text: str


def _blocks() -> list[Block]:
    found = _BLOCK.finditer(TUTORIAL.read_text("utf-8"))
    return [Block(one["file"] or "", one["kind"], int(one["status"] or 0), one["text"]) for one in found]


def _script(blocks: list[Block]) -> str:
    """One shell session: a file block becomes a here-document, a command block is run and its status told."""
    parts = ["exec 2>&1\n"]
    for block in blocks:
        if block.file:
            parts.append(f"cat > {block.file} <<'@@@'\n{block.text}@@@\n")
        elif block.kind == "sh":
            parts.append(f"{block.text}printf '\\n%s %s\\n' '{_END}' $?\n")
    return "".join(parts)


def _pattern(line: str) -> re.Pattern[str]:
    """A line of expected output; an ellipsis stands for anything."""
    return re.compile(
        r"\s*" + ".*".join(map(re.escape, line.strip().split("…"))).replace(r"\ ", r"\s+") + r"\s*"
    )


def _assert_shown(expected: str, output: str) -> None:
    """The expected lines appear in this order, others may stand between."""
    lines = iter(output.splitlines())
    for line in filter(str.strip, expected.splitlines()):
        pattern = _pattern(line)
        assert any(pattern.fullmatch(found) for found in lines), f"{line!r} is not in\n{output}"


def test_the_page_gives_the_outputs_of_commands_it_shows() -> None:
    kinds = [block.kind for block in _blocks()]
    assert kinds.count("sh") >= 8
    assert all(kinds[index - 1] == "sh" for index, kind in enumerate(kinds) if kind == "text")


def test_every_command_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    blocks, port = _blocks(), free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LICENCE_HUB")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LICENCE_HUB__GATEWAY__PORT": str(port),
        "COLUMNS": "200",
        "LC_ALL": "C.UTF-8",
    }
    script = _script(blocks).replace("127.0.0.1:8300", f"127.0.0.1:{port}")
    done = subprocess.run(
        ["bash", "-s"],
        input=script,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=170,
        check=False,
    )
    outputs = re.split(rf"{_END} (\d+)\n", done.stdout)
    told = dict(enumerate(zip(outputs[0::2], outputs[1::2], strict=False)))
    number = -1
    for block in blocks:
        if block.kind == "sh":
            number += 1
            output, status = told[number]
            assert int(status) == block.status, f"{block.text}\n{output}"
        elif block.kind == "text":
            _assert_shown(block.text, told[number][0])
