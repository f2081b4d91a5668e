"""``style``: what licences look like."""

import getpass
from pathlib import Path

import click
import msgspec

from contracts.licence_type import LicenceType
from core.packaging.raster import render_preview
from core.packaging.style_loader import STYLES, load_style, shipped_styles
from core.service.styles import STYLE_FILE
from licencehub.app import Hub
from licencehub.commands.shell import as_json, show, table, with_hub


@click.group()
def style() -> None:
    """Register, list and preview styles. 证照样式。"""


@style.command(epilog="Example: licence-hub style apply ./styles/food-permit --type 11100000000013338W032")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--type", "type_code", default="", help="Registered licence type whose items it must fit.")
@as_json
@with_hub
def apply(hub: Hub, folder: Path, type_code: str, json_: bool) -> None:
    """Check the style in FOLDER (style.toml, picture, font) and register it; all faults at once."""
    licence_type = None
    if type_code:
        entry = hub.store.registry.show("licence-type", type_code)
        licence_type = msgspec.convert(entry.declaration, LicenceType)
    registered = hub.styles.apply(folder, getpass.getuser(), licence_type)
    value = {
        "name": registered.name,
        "version": registered.declaration["version"],
        "revision": registered.revision,
        "replaces_shipped": registered.name in shipped_styles(),
    }

    def text() -> None:
        click.echo(f"{value['name']} version {value['version']} registered")
        if value["replaces_shipped"]:
            click.echo(
                f"from now on it is used instead of the shipped style {value['name']}: give it a name of its own"
                f" if that is not meant 它将取代内置样式 {value['name']}；如非本意，请另取名称"
            )

    show(value, json_=json_, text=text)


@style.command("list", epilog="Example: licence-hub style list --json")
@as_json
@with_hub
def list_(hub: Hub, json_: bool) -> None:
    """List the styles that can be used, registered and shipped ones with their folder, to copy from."""
    rows = [
        {
            "name": listed.name,
            "from": listed.origin,
            "version": listed.version,
            "title": listed.title,
            "folder": str(STYLES / listed.name) if listed.origin == "shipped" else "",
        }
        for listed in hub.styles.listed()
    ]
    columns = ("name", "from", "version", "folder")
    show(
        rows,
        json_=json_,
        text=lambda: table("styles", columns, [[row[name] for name in columns] for row in rows]),
    )


@style.command(epilog="Example: licence-hub style preview permit -o permit.png")
@click.argument("name_or_folder")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--dpi", default=150, show_default=True, type=click.IntRange(36, 600))
@as_json
@with_hub
def preview(hub: Hub, name_or_folder: str, output: Path, dpi: int, json_: bool) -> None:
    """Draw a style with its longest samples as PNG: a registered or shipped one by name, or a folder before it is applied."""
    folder = Path(name_or_folder)
    drawn = load_style(folder / STYLE_FILE) if folder.is_dir() else hub.styles.load(name_or_folder)
    picture = render_preview(drawn, dpi, _seal_picture(hub))
    output.write_bytes(picture)
    value = {"file": str(output), "style": drawn.ident, "size_bytes": len(picture)}
    show(value, json_=json_, text=lambda: click.echo(f"{output}: {drawn.ident}, {len(picture)} bytes"))


def _seal_picture(hub: Hub) -> bytes:
    """The picture of a seal in use, so that the preview shows its place."""
    for entry in hub.seals.entries():
        if not entry.declaration.retired:
            return entry.ses.info.picture
    return b""
