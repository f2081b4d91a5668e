"""HTTPS by the gateway itself, spoken to by a real client."""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.http.server import load_certificate
from core.config import load_config, write_default_config
from core.errors import ConfigError
from licencehub.app import Hub
from licencehub.examination import examine
from served_hub import served_hub


def write_certificate(folder: Path, *, days: int = 90, password: bytes = b"") -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    sealed = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    paths = folder / "hub.crt", folder / "hub.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed)
    )
    return paths


def nothing(_hub: Hub) -> None:
    """Nothing to register."""


def test_a_client_that_trusts_the_certificate_speaks_https_and_http_is_not_answered(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)
    settings: dict[str, Any] = {"tls_certificate": certificate, "tls_key": key}
    with served_hub(tmp_path / "hub", nothing, **settings) as served:
        url = f"https://127.0.0.1:{served.port}/livez"
        trusting = ssl.create_default_context(cafile=str(certificate))
        with httpx.Client(verify=trusting) as client:
            assert client.get(url).json() == {"status": "alive"}
            version = client.get(url).extensions["network_stream"].get_extra_info("ssl_object").version()
        assert version in {"TLSv1.2", "TLSv1.3"}
        with httpx.Client() as stranger, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            stranger.get(url)
        with httpx.Client() as clear, pytest.raises(httpx.HTTPError):
            clear.get(f"http://127.0.0.1:{served.port}/livez")
        (finding,) = [one for one in examine(served.hub) if one.part == "gateway"]
        assert finding.ok
        assert "HTTPS" in finding.text
        assert served.hub.config.public_url.startswith("https://")


def test_a_certificate_without_its_key_is_refused_with_the_configuration(tmp_path: Path) -> None:
    path = write_default_config(tmp_path)
    with pytest.raises(ConfigError) as refusal:
        load_config(path, {"LICENCE_HUB__GATEWAY__TLS_CERTIFICATE": "hub.crt"})
    assert [fault.rule for fault in refusal.value.faults] == ["configuration.tls-pair"]


def test_unusable_files_are_named_before_anything_is_served(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    _, foreign = write_certificate(other)
    for files in ((certificate, foreign), (certificate, tmp_path / "none.key"), (key, key)):
        with pytest.raises(ConfigError) as refusal:
            load_certificate(*files)
        assert refusal.value.faults[0].rule == "gateway.tls"
    with pytest.raises(ConfigError, match="encrypted"):
        load_certificate(*write_certificate(tmp_path, password=b"secret"))


def test_the_doctor_tells_a_certificate_that_ends_soon(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path, days=10)
    path = write_default_config(tmp_path)
    prefix = "LICENCE_HUB__GATEWAY__TLS_"
    environment = {f"{prefix}CERTIFICATE": str(certificate), f"{prefix}KEY": str(key)}
    with Hub(load_config(path, environment)) as hub:
        (finding,) = [one for one in examine(hub) if one.part == "gateway"]
    assert not finding.ok
    assert "valid until" in finding.text
