"""``licence``: finding, showing and fetching licences."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from contracts.fault import masked
from contracts.licence_type import LicenceType
from contracts.record import Status
from core.errors import Refused
from core.service.package_files import PackageFiles
from core.store.licences import LicenceQuery, LicenceView
from core.store.quarantine import leaves
from licencehub.app import Hub
from licencehub.commands.shell import as_json, readable, show, table, with_hub


@click.group()
def licence() -> None:
    """Find, show and fetch licences. 证照查询。"""


@licence.command(
    epilog="Example: licence-hub licence find --department 住房和城乡建设局 --status valid --limit 20"
)
@click.option(
    "--holder-name", default="", help="Beginning of the holder's name; *PART finds any part. 持证主体。"
)
@click.option("--holder-code", default="", help="Whole code of a holder. 持证主体代码。")
@click.option("--number", default="", help="Licence number in any spelling. 证照编号。")
@click.option("--type", "licence_type", default="", help="Licence type code. 证照类型代码。")
@click.option("--issuer", "issuer_code", default="", help="Issuer code. 颁发机构代码。")
@click.option("--department", default="", help="Department. 部门。")
@click.option("--region", default="", help="Division code or its beginning. 行政区划。")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="State. 状态。")
@click.option("--issued-from", type=click.DateTime(["%Y-%m-%d"]), help="First day of issue.")
@click.option("--issued-to", type=click.DateTime(["%Y-%m-%d"]), help="Last day of issue.")
@click.option("--text", default="", help="Part of a name or number.")
@click.option("--sharing", is_flag=True, help="Only what may be shared: current, valid and sealed.")
@click.option("--after", default="", help="Cursor of the page before.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 500))
@as_json
@with_hub
def find(
    hub: Hub,
    *,
    status: str | None,
    issued_from: datetime | None,
    issued_to: datetime | None,
    sharing: bool,
    after: str,
    limit: int,
    json_: bool,
    **filters: Any,
) -> None:
    """List licences that fit all filters, latest first."""
    query = LicenceQuery(
        scope="sharing" if sharing else "management",
        status=Status(status) if status else None,
        issued_from=issued_from.date() if issued_from else None,
        issued_to=issued_to.date() if issued_to else None,
        **filters,
    )
    page = hub.store.licences.find(query, after, limit)

    def text() -> None:
        rows = [
            (
                found.identifier,
                found.licence_name,
                ", ".join(h.name for h in found.holders),
                found.status.value,
                found.issued_on,
            )
            for found in page.licences
        ]
        table("licences", ("identifier", "name", "holder", "status", "issued"), rows)
        if page.next:
            click.echo(f"more: --after {page.next}")

    show(msgspec.to_builtins(page), json_=json_, text=text)


@licence.command("show", epilog="Example: licence-hub licence show 1.2.156.3005.2.… --history")
@click.argument("identifier")
@click.option("--history", is_flag=True, help="With all versions and status events.")
@as_json
@with_hub
def show_(hub: Hub, identifier: str, history: bool, json_: bool) -> None:
    """Show a licence with its face items, by national identifier (of any version) or id; personal values are masked."""
    view = hub.store.licences.get(identifier)
    package = hub.store.packages.get(view.id, view.version_no)
    value = {
        **msgspec.to_builtins(view),
        "items": _items(hub, view),
        "package": msgspec.to_builtins(_shown(package)),
    }
    past = hub.store.licences.history(view.id) if history else None
    if past is not None:
        value["history"] = {
            "versions": [
                _hex(msgspec.to_builtins(version, builtin_types=(bytes,))) for version in past.versions
            ],
            "events": msgspec.to_builtins(past.events),
        }

    def text() -> None:
        fields = {name: part for name, part in value.items() if name != "history"}
        table(view.identifier, ("field", "value"), [row for row in leaves(fields) if readable(row[1])])
        if past is not None:
            versions = [
                (v.version_no, v.outcome.value, v.cause, v.interface, v.source_order, v.current)
                for v in past.versions
            ]
            table("versions", ("no", "outcome", "cause", "interface", "order", "current"), versions)
            table(
                "status",
                ("seq", "status", "cause", "actor"),
                [(e.seq, e.status.value, e.cause, e.actor) for e in past.events],
            )

    show(value, json_=json_, text=text)


@licence.command(epilog="Example: licence-hub licence package 1.2.156.3005.2.… -o licence.ofd")
@click.argument("identifier")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@as_json
@with_hub
def package(hub: Hub, identifier: str, output: Path, json_: bool) -> None:
    """Write the sealed package of the licence's current version; what still waits shows in `package list`. 取证照文件。"""
    view = hub.store.licences.get(identifier)
    row = hub.store.packages.get(view.id, view.current_version)
    if row is None or row.state != "packaged":
        state = row.state if row else "none"
        raise Refused(
            "package-pending",
            f"version {view.current_version} is not sealed yet ({state})",
            status=409,
            summary_zh=f"第 {view.current_version} 版尚未签章（{state}）",
        )
    data = PackageFiles(hub.store).file(view.id, view.current_version)
    output.write_bytes(data)
    value = {
        "file": str(output),
        "size_bytes": len(data),
        "file_number": row.file_number,
        "algorithm": row.algorithm,
    }
    show(
        value,
        json_=json_,
        text=lambda: click.echo(f"{output}: {len(data)} bytes, {row.file_number}, {row.algorithm}"),
    )


def _items(hub: Hub, view: LicenceView) -> dict[str, Any]:
    """The face items; those that the licence type declares personal are masked."""
    items = hub.store.licences.record(view.id, view.version_no).items
    entry = hub.store.registry.snapshot().find("licence-type", view.licence_type)
    specs = msgspec.convert(entry.declaration, LicenceType).items if entry else {}
    return {
        code: masked(readable(item)) if code in specs and specs[code].personal else item
        for code, item in items.items()
    }


def _shown(package: object) -> object:
    if package is None:
        return None
    fields = msgspec.to_builtins(package, builtin_types=(bytes,))
    return {
        name: fields[name]
        for name in ("form", "state", "detail", "file_number", "size_bytes", "algorithm", "key_id")
    }


def _hex(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()}
