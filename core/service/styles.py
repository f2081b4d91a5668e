"""Styles in the registry: applied as folders, checked whole, kept as blobs, so that every host packages with the same ones.

A change of a style is a new version of it: what an earlier version has sealed stays what it is.
"""

import hashlib
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from contracts.fault import Rule
from contracts.licence_type import LicenceType
from core.durable import PUBLIC, make_folder, put_file
from core.errors import ConfigError, NotFound, Refused
from core.packaging.style import Style
from core.packaging.style_checks import style_faults
from core.packaging.style_loader import load_style, shipped_style, shipped_styles
from core.store import Store
from core.store.registry import RegistryEntry

STYLE_FILE = "style.toml"
MEDIA = "application/octet-stream; part=style"
LARGEST_BYTES = 32 * 1024 * 1024

STRAY = Rule(
    code="style.file",
    en="{name} has no place in a style",
    zh="样式中不应有 {name}",
    remedy_en="a style is style.toml with its picture and font beside it, 32 MB at most",
    remedy_zh="样式由 style.toml 及其底图、字体组成，合计不超过 32 MB",
)


class ListedStyle(NamedTuple):
    """A style that a licence type can name."""

    name: str
    origin: Literal["shipped", "registered"]
    version: int
    title: dict[str, str]


class StyleRegistry:
    """Applying, listing and loading styles; those that ship with the product need no registration."""

    def __init__(self, store: Store, cache: Path) -> None:
        self._store = store
        self._cache = cache

    def apply(self, folder: Path, actor: str, licence_type: LicenceType | None = None) -> RegistryEntry:
        """Checks a style's folder and registers it.

        It must fit ``licence_type``, if one is given, and every registered type that names it. Raises ``ConfigError``
        with every fault, ``Refused`` (409) for other content under a version that is registered.
        """
        style = load_style(folder / STYLE_FILE, licence_type)
        self._refuse_unfit(style, folder / STYLE_FILE)
        contents = _contents(folder)
        files = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
        self._refuse_other_content(style, files)
        self._store.blobs.put_all([(data, MEDIA) for data in contents.values()])
        declaration = {"name": style.name, "version": style.version, "title": style.title, "files": files}
        return self._store.registry.apply("style", style.name, declaration, actor)

    def listed(self) -> list[ListedStyle]:
        """Every style by name, as it is declared: one that cannot be loaded hides no other."""
        shipped = {
            name: ListedStyle(name, "shipped", style.version, style.title)
            for name in shipped_styles()
            for style in [shipped_style(name)]
        }
        registered = {
            entry.name: ListedStyle(
                entry.name, "registered", entry.declaration["version"], entry.declaration["title"]
            )
            for entry in self._store.registry.list("style")
        }
        return [style for _, style in sorted((shipped | registered).items())]

    def load(self, name: str) -> Style:
        """The registered style of that name, else the one that ships; raises ``NotFound``."""
        try:
            entry = self._store.registry.show("style", name)
        except NotFound:
            return shipped_style(name)
        try:
            return load_style(self._unpacked(entry) / STYLE_FILE)
        except ConfigError as error:
            raise NotFound(
                f"style {name} cannot be used: {error}",
                f"样式 {name} 不可用：{'；'.join(fault.message_zh for fault in error.faults)}",
            ) from error

    def _refuse_unfit(self, style: Style, file: Path) -> None:
        for entry in self._store.registry.list("licence-type"):
            used_by = msgspec.convert(entry.declaration, LicenceType)
            faults = style_faults(style, used_by) if used_by.style == style.name else []
            if faults:
                raise ConfigError(f"{file} ({entry.name})", faults)

    def _refuse_other_content(self, style: Style, files: dict[str, str]) -> None:
        try:
            known = self._store.registry.show("style", style.name).declaration
        except NotFound:
            return
        if known["files"] != files and style.version <= known["version"]:
            raise Refused(
                "style-version",
                f"style {style.name} version {known['version']} is registered with other content: raise its version",
                status=409,
                summary_zh=f"样式 {style.name} 版本 {known['version']} 已以其他内容登记，请提高版本号",
            )

    def _unpacked(self, entry: RegistryEntry) -> Path:
        """The style's files as a folder of this host's cache; a file that is missing or broken there comes from the store.

        Each is put in its place whole, so processes that do this side by side never see half of what another writes.
        """
        files: dict[str, str] = entry.declaration["files"]
        folder = (
            self._cache
            / f"{entry.name}-{hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:16]}"
        )
        make_folder(folder)
        for name, digest in files.items():
            if not _holds(folder / name, digest):
                content = self._store.blobs.get(bytes.fromhex(digest))
                put_file(folder / name, content, mode=PUBLIC, replace=True)
        return folder


def _holds(file: Path, digest: str) -> bool:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest() == digest
    except FileNotFoundError:
        return False


def _contents(folder: Path) -> dict[str, bytes]:
    """The files of a style's folder; sub-folders, links and too much of it are refused."""
    found = sorted(folder.iterdir())
    faults = [STRAY.at("", name=path.name) for path in found if path.is_symlink() or not path.is_file()]
    if sum(path.stat().st_size for path in found if path.is_file()) > LARGEST_BYTES:
        faults.append(STRAY.at("", name="so much"))
    if faults:
        raise ConfigError(str(folder), faults)
    return {path.name: path.read_bytes() for path in found}
