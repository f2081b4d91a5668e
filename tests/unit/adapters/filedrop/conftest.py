"""A hub with drop folders."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from drop_material import DropHub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[DropHub]:
    made = DropHub(tmp_path / "hub")
    yield made
    made.close()
