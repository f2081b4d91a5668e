"""Who may scrape: default deny, save a scraper on the gateway's own host."""

import pytest
from starlette.requests import Request

from core.errors import Refused
from monitoring.endpoint import Scrapers

KEY = "a-key-of-the-scrapers-of-32-chars"
ADMITTED = ""


def answer(scrapers: Scrapers, host: str | None = "127.0.0.1", **headers: str) -> str:
    """Status and code of the refusal a scrape from ``host`` meets."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    client = (host, 40000) if host is not None else None
    scope = {"type": "http", "method": "GET", "path": "/metrics", "headers": raw, "client": client}
    try:
        scrapers.admit(Request(scope))
    except Refused as refusal:
        return f"{refusal.status} {refusal.code}"
    return ADMITTED


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_without_a_key_a_scraper_on_this_host_is_admitted(host: str) -> None:
    assert answer(Scrapers(), host) == ADMITTED


@pytest.mark.parametrize("host", ["10.0.0.5", "::ffff:10.0.0.5", "192.168.1.1", "testclient", "", None])
def test_without_a_key_nobody_else_is(host: str | None) -> None:
    assert answer(Scrapers(), host) == "403 metrics.elsewhere"


@pytest.mark.parametrize("header", ["forwarded", "x_forwarded_for", "x_forwarded_proto", "x_real_ip", "via"])
def test_what_a_proxy_on_this_host_passes_on_is_not_from_this_host(header: str) -> None:
    assert answer(Scrapers(), **{header: "203.0.113.9"}) == "403 metrics.elsewhere"


def test_behind_a_proxy_this_host_proves_nothing() -> None:
    assert answer(Scrapers(proxied=True)) == "403 metrics.elsewhere"


def test_with_a_key_it_opens_from_anywhere_and_nothing_else_does() -> None:
    scrapers = Scrapers(KEY, proxied=True)
    for sent in (f"Bearer {KEY}", f"bearer  {KEY} "):
        assert answer(scrapers, "10.0.0.5", authorization=sent) == ADMITTED
    assert answer(scrapers) == "401 auth.no-credential"
    assert answer(scrapers, authorization=f"Basic {KEY}") == "401 auth.no-credential"
    for sent in ("Bearer ", f"Bearer {KEY}x"):
        assert answer(scrapers, authorization=sent) == "401 auth.bearer"
