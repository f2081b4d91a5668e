"""Packages that a released version made: every later version reads and accepts them."""

from pathlib import Path

import pytest

from core.packaging.ofd_reader import read_ofd
from core.verification.report import Verdict
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from packaging_material import permit, request_for

FROZEN = sorted((Path(__file__).parents[3] / "golden" / "packaging").glob("frozen-*"))


@pytest.mark.parametrize("form", ["ofd", "pdf"])
@pytest.mark.parametrize("folder", FROZEN, ids=lambda folder: folder.name)
def test_a_frozen_package_is_still_accepted(folder: Path, form: str) -> None:
    trust = TrustStore.of([(folder / f"{form}-root.crt").read_bytes()])
    report = verify_file((folder / f"permit.{form}").read_bytes(), trust)
    assert report.verdict is Verdict.VALID, report.first_failed
    assert report.own
    assert report.content.identifier == request_for(permit()).identifier


@pytest.mark.parametrize("folder", FROZEN, ids=lambda folder: folder.name)
def test_a_frozen_package_still_says_what_it_said(folder: Path) -> None:
    content = read_ofd((folder / "permit.ofd").read_bytes())
    assert content.licence is not None
    assert content.face_items == content.licence["face"]
    assert content.face_items["CZZT"] == "测试市恒昇建设工程有限公司"
    assert content.face_items["ZZBFRQ"] == "二〇二六年十一月二十三日"
    assert content.metadata["KZ_FDDBR"] == "陈昇"
