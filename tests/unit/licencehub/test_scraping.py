"""Who may scrape a served hub, and what the doctor says of it."""

from pathlib import Path

import httpx
import pytest

from core.config import load_config, write_default_config
from core.errors import ConfigError
from licencehub.app import Hub
from licencehub.examination import examine
from licencehub.gateway import scrapers
from served_hub import Served, served_hub


def nothing(_hub: Hub) -> None:
    """Nothing to register."""


def finding_of(folder: Path, part: str, **environment: str) -> tuple[bool, str]:
    path = folder / "licence-hub.toml"
    if not path.exists():
        write_default_config(folder)
    with Hub(load_config(path, environment)) as hub:
        (finding,) = [one for one in examine(hub) if one.part == part]
    return finding.ok, finding.text


def test_the_doctor_tells_who_may_scrape(tmp_path: Path) -> None:
    assert finding_of(tmp_path, "metrics") == (True, "given to scrapers on this host alone")
    _, text = finding_of(tmp_path, "metrics", LICENCE_HUB__GATEWAY__PUBLIC_URL="https://hub.example")
    assert "nobody" in text
    (tmp_path / "scrape.key").write_text("short")
    key = {"LICENCE_HUB__METRICS__KEY": "file:scrape.key"}
    ok, text = finding_of(tmp_path, "metrics", **key)
    assert (ok, "16 bytes" in text) == (False, True)
    (tmp_path / "scrape.key").write_text("long-enough-to-be-a-key")
    assert finding_of(tmp_path, "metrics", **key) == (True, "given to scrapers with the key")
    with pytest.raises(ConfigError):
        scrapers(load_config(tmp_path / "licence-hub.toml", {"LICENCE_HUB__METRICS__KEY": "file:none.key"}))


def scrape(served: Served, **headers: str) -> httpx.Response:
    return httpx.get(f"{served.url}/metrics", headers=headers, timeout=15, trust_env=False)


def test_a_scraper_on_this_host_needs_no_configuration_and_a_proxy_opens_nothing(tmp_path: Path) -> None:
    with served_hub(tmp_path, nothing) as served:
        answer = scrape(served)
        assert (answer.status_code, "hub_" in answer.text) == (200, True)
        refused = scrape(served, **{"X-Forwarded-For": "203.0.113.9", "Accept-Language": "zh-CN"})
        assert (refused.status_code, refused.json()["code"]) == (403, "metrics.elsewhere")
        assert "本机" in refused.text


def test_with_a_key_the_scraper_sends_it(tmp_path: Path) -> None:
    tmp_path.joinpath("scrape.key").write_text("long-enough-to-be-a-key\n")
    with served_hub(tmp_path, nothing, '\n[metrics]\nkey = "file:scrape.key"\n') as served:
        assert scrape(served).status_code == 401
        assert scrape(served, Authorization="Bearer " + served.secret("developer")).status_code == 401
        answer = scrape(served, Authorization="Bearer long-enough-to-be-a-key")
        assert (answer.status_code, "hub_" in answer.text) == (200, True)
