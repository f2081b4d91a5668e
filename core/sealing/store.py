"""The seal store: a folder per seal with ``seal.toml`` and its files; private keys stay outside and are named by reference.

``seal.toml``::

    licence_types = ["*"]           # or 21-character type codes
    issuers = ["*"]                 # or issuer codes
    retired = false
    [key]
    pem = "/etc/licence-hub/seal.key"        # or: pkcs12 = "/etc/licence-hub/seal.p12"
    certificate = "/etc/licence-hub/seal.crt"
    password = "env:SEAL_PASSWORD"           # or "file:/run/secrets/seal"

Relative places count from the store's folder.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import tomli_w

from contracts.fault import Rule
from core import secrets
from core.durable import PUBLIC, make_folder, put_file, put_folder
from core.errors import ConfigError, NotFound, Refused
from core.gm.der import DerError
from core.sealing.keyfiles import load_pkcs12_signer, load_signer
from core.sealing.seal import ANY, Seal
from core.sealing.ses import SesSeal, parse_seal
from core.sealing.signers import SoftwareSigner

BAD_DECLARATION = Rule(
    code="seal.declaration",
    en="the seal cannot be used: {reason}",
    zh="印章无法使用：{reason}",
    remedy_en="correct seal.toml or import the seal again",
    remedy_zh="请更正 seal.toml 或重新导入印章",
)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class KeyReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a seal's key is: a PEM file with its certificate, or a PKCS#12 file; relative paths count from the seal store."""

    pem: str = ""
    certificate: str = ""
    pkcs12: str = ""
    password: str = ""
    """Reference to the password: ``env:NAME`` or ``file:/path``; empty for an unencrypted key."""


class SealDeclaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``seal.toml``."""

    key: KeyReference
    licence_types: tuple[str, ...] = (ANY,)
    issuers: tuple[str, ...] = (ANY,)
    retired: bool = False

    def covers(self, licence_type: str, issuer: str) -> bool:
        """Whether the seal is in use and bound to this licence type and issuer (code)."""
        type_fits = ANY in self.licence_types or licence_type in self.licence_types
        return not self.retired and type_fits and (ANY in self.issuers or issuer in self.issuers)

    def covers_all(self, other: "SealDeclaration") -> bool:
        """Whether the seal is bound to every licence type and issuer that ``other`` is bound to."""
        types = ANY in self.licence_types or set(other.licence_types) <= set(self.licence_types)
        return types and (ANY in self.issuers or set(other.issuers) <= set(self.issuers))


@dataclass(frozen=True)
class SealEntry:
    """A seal of the store as a list shows it; its key has not been touched."""

    name: str
    ses: SesSeal
    declaration: SealDeclaration


class SealStore:
    """Seals under one folder; reading only what is asked for, so a seal whose key is elsewhere can still be listed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, name: str, ses: bytes, declaration: SealDeclaration) -> SealEntry:
        """Takes an SES seal into the store; raises ``Refused`` for a name in use or unfit, ``ConfigError`` for a bad seal."""
        folder = self.free_place(name)
        entry = SealEntry(name, read_seal(name, ses), declaration)
        files = {
            "seal.esl": ses,
            f"picture.{entry.ses.info.picture_type.lower()}": entry.ses.info.picture,
            "seal.toml": _toml(declaration),
        }
        make_folder(self._folder)
        try:
            put_folder(folder, files)
        except FileExistsError:  # somebody else was faster
            raise _in_use(name) from None
        return entry

    def free_place(self, name: str) -> Path:
        """Where a new seal of that name will stand; raises ``Refused`` for a name in use or unfit."""
        folder = self._path(name)
        if folder.exists():
            raise _in_use(name)
        return folder

    def names(self) -> list[str]:
        """Names of all seals in order, retired ones too."""
        return [file.parent.name for file in sorted(self._folder.glob("[!.]*/seal.toml"))]

    def entries(self) -> list[SealEntry]:
        """Every seal of the store by name; raises ``ConfigError`` for the first that cannot be read."""
        return [self.entry(name) for name in self.names()]

    def entry(self, name: str) -> SealEntry:
        """The seal ``name`` without its key; raises ``NotFound`` and ``ConfigError``."""
        folder = self._path(name)
        try:
            text = (folder / "seal.toml").read_text()
            ses = (folder / "seal.esl").read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"no seal {name} in the store", f"没有印章 {name}") from error
        try:
            declaration = msgspec.convert(tomllib.loads(text), SealDeclaration)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise ConfigError(name, [BAD_DECLARATION.at("/seal.toml", reason=str(error))]) from error
        return SealEntry(name, read_seal(name, ses), declaration)

    def open(self, name: str) -> Seal:
        """The seal ``name`` with its key; raises ``NotFound``, ``ConfigError``, and ``Refused`` when the key is not listed."""
        entry = self.entry(name)
        declared = entry.declaration
        return Seal(
            name=name,
            ses=entry.ses,
            signer=self.signer(declared.key),
            licence_types=frozenset(declared.licence_types),
            issuers=frozenset(declared.issuers),
            retired=declared.retired,
        )

    def retire(self, name: str) -> SealEntry:
        """Takes the seal out of use for good; what it has sealed stays valid. Raises ``NotFound``."""
        entry = self.entry(name)
        declaration = msgspec.structs.replace(entry.declaration, retired=True)
        put_file(self._path(name) / "seal.toml", _toml(declaration), mode=PUBLIC, replace=True)
        return SealEntry(name, entry.ses, declaration)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise Refused(
                "seal-name",
                "a seal's name is made of a-z, 0-9 and hyphens, 64 at most",
                status=400,
                summary_zh="印章名称只能由 a-z、0-9 和连字符组成，最多 64 个字符",
            )
        return self._folder / name

    def signer(self, key: KeyReference) -> SoftwareSigner:
        """The signer behind a reference; raises ``ConfigError``."""
        password = secrets.resolve(key.password, self._folder).encode() if key.password else None
        if key.pkcs12:
            return load_pkcs12_signer(self._folder / key.pkcs12, password or b"")
        return load_signer(self._folder / key.pem, self._folder / key.certificate, password)


def read_seal(name: str, ses: bytes) -> SesSeal:
    """The SES structure of a seal; raises ``ConfigError``."""
    try:
        return parse_seal(ses)
    except DerError as error:
        raise ConfigError(name, [BAD_DECLARATION.at("/seal.esl", reason=str(error))]) from error


def _toml(declaration: SealDeclaration) -> bytes:
    return tomli_w.dumps(msgspec.to_builtins(declaration)).encode()


def _in_use(name: str) -> Refused:
    return Refused(
        "seal-exists", f"there is a seal {name} already", status=409, summary_zh=f"印章 {name} 已存在"
    )
