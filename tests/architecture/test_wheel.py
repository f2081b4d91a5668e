"""What is tested is what is shipped: the wheel, whole, under one version."""

import importlib
import importlib.metadata
import os
from pathlib import Path

import pytest

import licencehub
from architecture.sources import PACKAGES, ROOT, text_of, tracked_files

_SITE_PACKAGES = os.environ.get("LICENCE_HUB_TEST_WHEEL", "")
_against_wheel = pytest.mark.skipif(
    not _SITE_PACKAGES, reason="a run from the checkout; tox runs it against the wheel"
)


@_against_wheel
@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_comes_from_the_installed_wheel(package: str) -> None:
    origin = importlib.import_module(package).__file__
    assert origin is not None
    assert Path(origin).parents[1] == Path(_SITE_PACKAGES)


@_against_wheel
def test_the_wheel_holds_every_file_of_the_packages() -> None:
    shipped = [path for path in tracked_files() if path.parts[0] in PACKAGES]
    assert [path for path in shipped if not (Path(_SITE_PACKAGES) / path).is_file()] == []
    assert len(shipped) > len(PACKAGES)


@_against_wheel
def test_the_wheel_brings_nothing_but_the_packages_as_they_are_now() -> None:
    files = importlib.metadata.files("licence-hub") or []
    tops = {
        file.parts[0] for file in files if not file.parts[0].endswith(".dist-info") and ".." not in file.parts
    }
    assert tops == set(PACKAGES)


def test_every_place_names_the_same_version() -> None:
    assert importlib.metadata.version("licence-hub") == licencehub.__version__
    assert f"## [{licencehub.__version__}]" in text_of(ROOT / "CHANGELOG.md")
