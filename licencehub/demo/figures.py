"""The hub's figures as ``/metrics`` shows them."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import httpx

_SAMPLE = re.compile(r"^hub_(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Sample(NamedTuple):
    """One figure."""

    name: str
    labels: Mapping[str, str]
    value: float


class Figures:
    """One scrape."""

    def __init__(self, exposition: str) -> None:
        self._samples = [_read(found) for found in _SAMPLE.finditer(exposition)]

    @classmethod
    def of(cls, base: str) -> "Figures":
        """The figures now; none while the hub does not answer."""
        try:
            answer = httpx.get(f"{base}/metrics", timeout=10, trust_env=False)
        except httpx.TransportError:
            return cls("")
        return cls(answer.text if answer.status_code == 200 else "")

    def total(self, name: str, **labels: str) -> int:
        """Sum of the figures of this name that carry these labels."""
        return int(
            sum(
                sample.value
                for sample in self._samples
                if sample.name == name and labels.items() <= sample.labels.items()
            )
        )


def _read(found: re.Match[str]) -> Sample:
    return Sample(found[1], dict(_LABEL.findall(found[2] or "")), float(found[3]))
