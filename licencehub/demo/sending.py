"""Sending a wave: files into the drop folders, requests through the department's own client process."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from licencehub.demo import department
from licencehub.demo.door import Attempt
from licencehub.demo.generator import ROAD, Body, DroppedFile
from licencehub.demo.stage import CLIENT, Stage

Json = dict[str, Any]
_LINES, _ONE = "application/x-ndjson", "application/json"


def drop(stage: Stage, files: Sequence[DroppedFile]) -> None:
    """Puts the files into their folders as a careful writer does: under a temporary name first, then renamed into place."""
    for file in files:
        folder = stage.drops / file.interface
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{file.name}.tmp"
        temporary.write_bytes(file.content)
        temporary.rename(folder / file.name)


class ClientFailed(Exception):
    """The department's client ended with a fault."""


class Pushing:
    """The client process with its plan; a context manager that leaves no process behind."""

    def __init__(self, stage: Stage, name: str, requests: Sequence[Json]) -> None:
        plan, self._answers = stage.folder / f"push-{name}.jsonl", stage.folder / f"push-{name}.answers.jsonl"
        plan.write_text("".join(json.dumps(request) + "\n" for request in requests), "utf-8")
        program = str(Path(department.__file__))
        arguments = [stage.base, CLIENT, str(stage.secret(CLIENT)), str(plan), str(self._answers)]
        self._process = subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, program, *arguments], stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def follow(self, progress: Callable[[Json], None]) -> dict[str, Json]:
        """Waits for the end, telling ``progress`` of each line; the answers by request. Raises ``ClientFailed``."""
        assert self._process.stdout is not None  # noqa: S101 -- asked for above
        for line in self._process.stdout:
            progress(json.loads(line))
        if status := self._process.wait():
            raise ClientFailed(f"the department's client ended with status {status} 部门客户端异常退出")
        lines = self._answers.read_text("utf-8").splitlines()
        return {answer["id"]: answer for answer in map(json.loads, lines)}


def of_bodies(bodies: Sequence[Body]) -> list[Json]:
    """The plan's requests for ordinary pushes."""
    media = {True: _LINES, False: _ONE}
    return [
        {"id": body.id, "target": _target(ROAD), "body": body.text, "media": media[body.lines]}
        for body in bodies
    ]


def of_attempts(attempts: Sequence[Attempt]) -> list[Json]:
    """The plan's requests for attempts at the door."""
    return [
        {
            "id": attempt.id,
            "target": _target(attempt.interface),
            "body": attempt.body,
            "media": attempt.media,
            **attempt.more,
        }
        for attempt in attempts
    ]


def _target(interface: str) -> str:
    return f"/v1/interfaces/{interface}/records"
