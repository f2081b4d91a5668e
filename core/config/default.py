"""The configuration ``licence-hub init`` writes: a working hub for development on either stack, with fresh secrets."""

import base64
import os
import secrets
from pathlib import Path
from typing import Literal

Stack = Literal["embedded", "production"]

FILE_NAME = "licence-hub.toml"

_STORE = {
    "embedded": 'url = "sqlite:///data/hub.db"',
    "production": 'url = "postgresql://postgres@127.0.0.1:5432/licence_hub"',
}
_BUS = {
    "embedded": 'kind = "embedded"\nurl = "data/bus.db"',
    "production": 'kind = "rabbitmq"\nurl = "amqp://guest:${file:secrets/bus-password}@127.0.0.1:5672/"',
}
_TEMPLATE = """\
# Licence Hub. Every setting with its default: docs/reference/configuration.md
# Relative paths count from this folder; LICENCE_HUB__SECTION__SETTING in the environment wins over this file.

[hub]
name = "licence-hub"
library_name = "Development licence library"
library_code = "DEV"
region = "110000"
data = "data"

[store]
{store}

[bus]
{bus}

[keys]
master = "file:secrets/master.key"

[gateway]
host = "127.0.0.1"
port = 8300

[seal]
folder = "seal"

# A department system that signs its requests.
[[client]]
id = "department"
kind = "hmac"
secret = "file:secrets/client-department.key"
department = "Development department"

[[client.grants]]
actions = ["push", "receipt.read", "quarantine.read"]
interfaces = ["*"]

[[client.grants]]
actions = ["licence.read", "licence.fetch", "verify"]
types = ["*"]

# A bearer key for trying things out with curl; remove it in production.
[[client]]
id = "developer"
kind = "bearer"
secret = "file:secrets/client-developer.key"
department = "Development department"

[[client.grants]]
actions = ["push", "receipt.read", "quarantine.read"]
interfaces = ["*"]

[[client.grants]]
actions = ["licence.read", "licence.fetch", "verify", "manage"]
types = ["*"]
"""


def write_default_config(folder: Path, stack: Stack = "embedded") -> Path:
    """Writes the file and its secrets into ``folder`` and returns the file's path.

    What exists is left as it is: raises ``FileExistsError`` for a configuration that is there, keeps secrets that are there.
    """
    path = folder / FILE_NAME
    secret_folder = folder / "secrets"
    secret_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "data").mkdir(exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(_TEMPLATE.format(store=_STORE[stack], bus=_BUS[stack]))
    _write_secret(secret_folder / "master.key", base64.b64encode(secrets.token_bytes(32)).decode())
    _write_secret(secret_folder / "client-department.key", secrets.token_urlsafe(32))
    _write_secret(secret_folder / "client-developer.key", secrets.token_urlsafe(32))
    if stack == "production":
        _write_secret(secret_folder / "bus-password", "guest")
    return path


def _write_secret(path: Path, value: str) -> None:
    """Readable by the owner alone from its first byte on."""
    if path.exists():
        return
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(value + "\n")
