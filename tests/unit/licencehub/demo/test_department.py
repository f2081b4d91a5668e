"""The department's client signs by the recipe alone; the hub's own signature code agrees."""

import json
from pathlib import Path
from random import Random

from contracts import request_signature
from licencehub.demo import department
from licencehub.demo.figures import Figures


def test_the_headers_are_those_the_hub_expects() -> None:
    body = json.dumps({"名称": "示范"}).encode()
    headers = department.signed(b"secret", "client", "POST", "/v1/x?y=1", body, nonce="nonce-0001")
    expected = request_signature.signed_headers(
        b"secret", "client", "POST", "/v1/x?y=1", body, int(headers["X-Timestamp"]), "nonce-0001"
    )
    assert headers == expected


def test_the_client_imports_nothing_of_the_hub() -> None:
    text = Path(department.__file__).read_text("utf-8")
    for package in ("contracts", "core", "router", "adapters", "licencehub"):
        assert f"import {package}" not in text
        assert f"from {package}" not in text


def test_every_request_has_a_nonce_of_its_own() -> None:
    nonces = {
        department.signed(b"s", "c", "GET", "/", b"")["X-Nonce"] for _ in range(Random(1).randrange(50, 60))
    }
    assert len(nonces) >= 50


def test_figures_are_summed_by_their_labels() -> None:
    figures = Figures(
        "# HELP hub_records_total Records.\n"
        'hub_records_total{adapter="a",stage="store",outcome="new",process="w1"} 3.0\n'
        'hub_records_total{adapter="b",stage="store",outcome="new",process="w2"} 4.0\n'
        'hub_records_total{adapter="b",stage="receive",outcome="refused",process="g"} 9.0\n'
        "hub_journal_size 12\n"
    )
    assert figures.total("records_total", stage="store") == 7
    assert figures.total("records_total", adapter="b", stage="store") == 4
    assert figures.total("journal_size") == 12
    assert figures.total("nothing") == 0
