"""Seals and keys for the tests of packaging."""

import pytest

from packager_material import Sealing


@pytest.fixture(scope="module")
def sealing(tmp_path_factory: pytest.TempPathFactory) -> Sealing:
    return Sealing(tmp_path_factory.mktemp("authority"))
