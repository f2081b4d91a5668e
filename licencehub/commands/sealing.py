"""``seal`` and ``ca``: the seals packages carry, and the development authorities behind them."""

import getpass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from core.packaging.typeface import FONTS, SHIPPED_FONT
from core.ports.signer import Algorithm
from core.sealing.authority import JOURNAL, PDF_SIGNER, create_development_authorities, load_authority
from core.sealing.certificates import Purpose
from core.sealing.picture import SealText
from core.sealing.store import KeyReference, SealDeclaration, SealEntry
from core.service.seals import NewSeal, create_seal, import_seal, retire_seal
from core.verification.certificates import certificate_of
from licencehub.app import Hub
from licencehub.commands.shell import as_json, show, table, with_hub

RENEWED = {PDF_SIGNER: (Purpose.DOCUMENT_SIGNER, "documents"), JOURNAL: (Purpose.JOURNAL, "journal")}
"""Keys that follow one another: what each may do, and what its certificates are called."""

_bound_types = click.option(
    "--type", "types", multiple=True, default=("*",), help="Licence type it may sign; again for more."
)
_bound_issuers = click.option(
    "--issuer", "issuers", multiple=True, default=("*",), help="Issuer it may sign for; again for more."
)


@click.group()
def seal() -> None:
    """Make, import, list and retire seals. 印章。"""


@seal.command(epilog="Example: licence-hub seal new city --owner 滨海市行政审批服务局 --line 电子证照专用章")
@click.argument("name")
@click.option("--owner", required=True, help="Text along the ring.")
@click.option("--line", default="", help="Line under the star.")
@click.option("--years", default=5, show_default=True, type=click.IntRange(1, 20))
@_bound_types
@_bound_issuers
@as_json
@with_hub
def new(
    hub: Hub,
    name: str,
    owner: str,
    line: str,
    years: int,
    types: tuple[str, ...],
    issuers: tuple[str, ...],
    json_: bool,
) -> None:
    """Draw a seal and make it under the development authority, with a key of its own."""
    wanted = NewSeal(
        name=name,
        text=SealText(owner, line),
        licence_types=types,
        issuers=issuers,
        validity=timedelta(days=365 * years),
    )
    authority = load_authority(hub.authority_folder / "seals", organisation=hub.config.hub.library_name)
    now = datetime.now(UTC).replace(microsecond=0)
    _told(
        hub, "seal.created", create_seal(hub.seals, authority, wanted, FONTS / SHIPPED_FONT, now), json_=json_
    )


@seal.command(
    "import", epilog="Example: licence-hub seal import city city.esl --key city.key --certificate city.crt"
)
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key", type=click.Path(exists=True, dir_okay=False, resolve_path=True), help="PEM file of the key."
)
@click.option(
    "--certificate",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    help="PEM file, key's own first.",
)
@click.option(
    "--pkcs12",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    help="PKCS#12 file instead of both.",
)
@click.option("--password", default="", help="Reference to the password: env:NAME or file:PATH.")
@_bound_types
@_bound_issuers
@as_json
@with_hub
def import_(
    hub: Hub,
    *,
    name: str,
    file: Path,
    key: str | None,
    certificate: str | None,
    pkcs12: str | None,
    password: str,
    types: tuple[str, ...],
    issuers: tuple[str, ...],
    json_: bool,
) -> None:
    """Take in a seal (SES file) that an authority made elsewhere; its key stays where it is."""
    if bool(pkcs12) == bool(key and certificate):
        raise click.UsageError("give --key and --certificate, or --pkcs12")
    reference = KeyReference(key or "", certificate or "", pkcs12 or "", password)
    declaration = SealDeclaration(reference, types, issuers)
    taken = import_seal(hub.seals, name, file.read_bytes(), declaration, datetime.now(UTC))
    _told(hub, "seal.imported", taken, json_=json_)


@seal.command("list", epilog="Example: licence-hub seal list --json")
@as_json
@with_hub
def list_(hub: Hub, json_: bool) -> None:
    """List the seals of the store."""
    rows = [_described(entry) for entry in hub.seals.entries()]
    columns = ("name", "owner", "valid_until", "licence_types", "issuers", "retired")
    show(
        rows,
        json_=json_,
        text=lambda: table("seals", columns, [[row[name] for name in columns] for row in rows]),
    )


@seal.command(epilog="Example: licence-hub seal retire city")
@click.argument("name")
@click.option(
    "--leave-gap",
    is_flag=True,
    help="Even when no other seal takes over: its licences wait unsealed. 允许空缺。",
)
@as_json
@with_hub
def retire(hub: Hub, name: str, leave_gap: bool, json_: bool) -> None:
    """Take a seal out of use for good; what it has sealed stays valid. 停用印章。"""
    retired = retire_seal(hub.seals, name, datetime.now(UTC), leave_gap=leave_gap)
    _told(hub, "seal.retired", retired, json_=json_)


@click.group()
def ca() -> None:
    """The development certificate authorities. 证书颁发机构。"""


@ca.command(epilog="Example: licence-hub ca init --algorithm sm2-sm3")
@click.option(
    "--algorithm",
    type=click.Choice([a.value for a in Algorithm]),
    help="Of the seals; SM2 where libcrypto has it.",
)
@as_json
@with_hub
def init(hub: Hub, algorithm: str | None, json_: bool) -> None:
    """Make the roots and the keys of seal maker, seals, PDF and journal, or what is missing of them."""
    made = create_development_authorities(
        hub.authority_folder,
        seal_algorithm=Algorithm(algorithm) if algorithm else None,
        organisation=hub.config.hub.library_name,
    )
    told = {
        "folder": str(hub.authority_folder),
        "seals": made.seals.root.key_id,
        "documents": made.documents.root.key_id,
    }
    show(told, json_=json_, text=lambda: click.echo(f"authorities made in {told['folder']}"))


@ca.command("list", epilog="Example: licence-hub ca list --json")
@as_json
@with_hub
def list_keys(hub: Hub, json_: bool) -> None:
    """List the keys that sign PDF packages and the journal, earlier ones too. 密钥清单。"""
    rows = [row for name in RENEWED for row in _keys(hub, name)]
    columns = ("name", "key_id", "valid_until", "in_use")
    show(
        rows,
        json_=json_,
        text=lambda: table("keys", columns, [[row[name] for name in columns] for row in rows]),
    )


@ca.command(epilog="Example: licence-hub ca renew pdf-signer")
@click.argument("name", type=click.Choice(list(RENEWED)))
@as_json
@with_hub
def renew(hub: Hub, name: str, json_: bool) -> None:
    """Issue the next key for PDF packages or the journal; running processes take it up within seconds. 更换密钥。"""
    organisation = hub.config.hub.library_name
    authority = load_authority(hub.authority_folder / "documents", organisation=organisation)
    purpose, what = RENEWED[name]
    hub.keys(name).renew(authority, purpose, f"{organisation} {what}")
    made = _keys(hub, name)[-1]
    hub.store.journal.record("key.renewed", name, {**made, "actor": getpass.getuser()})
    show(made, json_=json_, text=lambda: click.echo(f"in use: {made['name']}, key {made['key_id']}"))


def _keys(hub: Hub, name: str) -> list[dict[str, object]]:
    keys = hub.keys(name)
    names = keys.names()
    return [
        {
            "name": key,
            "key_id": certificate.key_id,
            "valid_from": certificate.valid_from.isoformat(),
            "valid_until": certificate.valid_until.isoformat(),
            "in_use": key == names[-1],
        }
        for key, certificate in zip(names, map(certificate_of, keys.certificates()), strict=True)
    ]


def _described(entry: SealEntry) -> dict[str, object]:
    info, declaration = entry.ses.info, entry.declaration
    return {
        "name": entry.name,
        "owner": info.name,
        "seal_id": info.seal_id,
        "version": info.version,
        "valid_from": info.valid_from.isoformat(),
        "valid_until": info.valid_until.isoformat(),
        "licence_types": list(declaration.licence_types),
        "issuers": list(declaration.issuers),
        "retired": declaration.retired,
    }


def _told(hub: Hub, kind: str, entry: SealEntry, *, json_: bool) -> None:
    """Journals what was done to a seal and prints it."""
    told = _described(entry)
    hub.store.journal.record(kind, entry.name, {**told, "actor": getpass.getuser()})
    show(
        told,
        json_=json_,
        text=lambda: click.echo(f"{kind.removeprefix('seal.')}: {entry.name} ({told['owner']})"),
    )
