"""The configuration ``licence-hub init`` writes: a working hub for development on either stack, with fresh secrets."""

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from contracts.fault import Rule
from core.config.load import PREFIX
from core.durable import PUBLIC, already_there, make_folder, put_file
from core.errors import ConfigError

Stack = Literal["embedded", "production"]

FILE_NAME = "licence-hub.toml"

EMPTY_SECRET = Rule(
    code="secret.empty",
    en="the file of this secret is there and empty",
    zh="该密钥文件存在但内容为空",
    remedy_en="bring it back from a backup; where no store was made with it, delete the file and run init again",
    remedy_zh="请从备份恢复；若尚未用它建库，可删除该文件后重新运行 init",
)

_STORE_URL = {
    "embedded": "sqlite:///data/hub.db",
    "production": "postgresql://postgres@127.0.0.1:5432/licence_hub",
}
_BUS_URL = {
    "embedded": "data/bus.db",
    "production": "amqp://guest:${file:secrets/bus-password}@127.0.0.1:5672/",
}
_BUS_KIND = {"embedded": "embedded", "production": "rabbitmq"}
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
url = {store_url}

[bus]
kind = "{bus_kind}"
url = {bus_url}

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
    """Writes the file and its secrets into ``folder`` and returns the file's path; raises what ``drafted_config`` raises."""
    with drafted_config(folder, stack, {}):
        return folder / FILE_NAME


@contextmanager
def drafted_config(folder: Path, stack: Stack, environment: Mapping[str, str]) -> Iterator[Path]:
    """A configuration with its secrets for the block to work with; the file gets its name at the end of a block that succeeds.

    So a hub that could not be made whole, even one whose maker was killed, is made by another attempt. Store and bus are where
    ``environment`` says, as for every command: the hub made there is found later without it. Secrets that are there stay: a
    store may know the master key already. Raises ``FileExistsError`` for a configuration that is there, ``ConfigError`` for an
    empty secret.
    """
    path = folder / FILE_NAME
    if path.exists():
        raise already_there(path)
    secret_folder = folder / "secrets"
    make_folder(secret_folder, 0o700)
    make_folder(folder / "data")
    _write_secret(secret_folder / "master.key", base64.b64encode(secrets.token_bytes(32)).decode())
    _write_secret(secret_folder / "client-department.key", secrets.token_urlsafe(32))
    _write_secret(secret_folder / "client-developer.key", secrets.token_urlsafe(32))
    if stack == "production":
        _write_secret(secret_folder / "bus-password", "guest")
    text = _TEMPLATE.format(
        store_url=_quoted(environment.get(f"{PREFIX}STORE__URL", _STORE_URL[stack])),
        bus_kind=_BUS_KIND[stack],
        bus_url=_quoted(environment.get(f"{PREFIX}BUS__URL", _BUS_URL[stack])),
    ).encode()
    draft = folder / f".{FILE_NAME}"
    put_file(
        draft, text, replace=True
    )  # private: a password in a variable is refused, but only when it is read
    try:
        yield draft
        put_file(path, text, mode=PUBLIC)
    finally:
        draft.unlink(missing_ok=True)


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are among TOML's."""
    return json.dumps(text)


def _write_secret(path: Path, value: str) -> None:
    """A secret that is there stays, unless nothing is in it: then nobody knows what it was."""
    if not path.exists():
        put_file(path, f"{value}\n".encode())
    elif not path.read_bytes().strip():
        raise ConfigError(str(path), [EMPTY_SECRET.at("")])
