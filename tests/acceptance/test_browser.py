"""The pages of the gateway in a real browser that reaches no other host."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from served_hub import Served
from services.reporting import MISSING_SERVICE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.slow


def browse(profile: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One visit; only the loopback interface has names."""
    if CHROMIUM is None:
        reason = f"{MISSING_SERVICE}browser: install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    settings = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        f"--user-data-dir={profile}",
        "--window-size=1200,1600",
        "--virtual-time-budget=20000",
        "--enable-logging=stderr",
    )
    command = [CHROMIUM, *settings, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)


def test_the_viewer_shows_the_description_of_the_hub_and_its_interfaces(
    served: Served, tmp_path: Path
) -> None:
    visit = browse(tmp_path / "profile", "--dump-dom", f"{served.url}/docs")
    shown = re.sub(r"<[^>]+>", "", visit.stdout.replace("\u200b", ""))
    assert "/v1/interfaces/permits/records" in shown
    assert "/v1/licences/{identifier}/history" in shown
    assert "OAS 3.1" in shown
    assert "Failed to load" not in shown
    assert complaints(visit.stderr) == []


def test_the_viewer_is_drawn_with_its_styles(served: Served, tmp_path: Path) -> None:
    picture = tmp_path / "viewer.png"
    browse(tmp_path / "profile", f"--screenshot={picture}", f"{served.url}/docs")
    with Image.open(picture) as drawn:
        colours = drawn.convert("RGB").getcolors(maxcolors=1 << 24) or []
    green_of_post = (73, 204, 144)
    assert green_of_post in {colour for _count, colour in colours}


def complaints(log: str) -> list[str]:
    """What the page's console holds: errors of scripts, and what the content policy refused."""
    return [line for line in log.splitlines() if "CONSOLE" in line]
