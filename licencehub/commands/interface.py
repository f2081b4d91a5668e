"""``interface``: the registry of department interfaces."""

import getpass
from pathlib import Path

import click

from core.service.registration import Registration
from core.store.registry import RegistryEntry
from licencehub.app import Hub
from licencehub.commands.shell import as_json, show, table, with_hub


@click.group()
def interface() -> None:
    """Register, examine and switch department interfaces. 接口注册。"""


@interface.command(epilog="Example: licence-hub interface apply -f examples/sf-food-permits/interface.toml")
@click.option(
    "-f",
    "--file",
    "files",
    multiple=True,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@as_json
@with_hub
def apply(hub: Hub, files: tuple[Path, ...], json_: bool) -> None:
    """Register or change what FILEs declare; all faults at once, all files or none. New interfaces start disabled."""
    entries = Registration(hub.store.registry).apply(files, getpass.getuser(), hub.styles)
    _show(entries, json_=json_)


@interface.command("list", epilog="Example: licence-hub interface list --json")
@as_json
@with_hub
def list_(hub: Hub, json_: bool) -> None:
    """List interfaces with their states."""
    _show(hub.store.registry.list("interface"), json_=json_)


@interface.command("show", epilog="Example: licence-hub interface show sf-food-permits")
@click.argument("name")
@as_json
@with_hub
def show_(hub: Hub, name: str, json_: bool) -> None:
    """Show one interface: state, declaration, history."""
    entry = hub.store.registry.show("interface", name)
    history = [
        {"revision": step.revision, "state": step.state, "actor": step.actor, "changed_ms": step.changed_ms}
        for step in hub.store.registry.history("interface", name)
    ]

    def text() -> None:
        click.echo(f"# {name}: {entry.state}, revision {entry.revision}")
        click.echo(Registration(hub.store.registry).export(name))
        table(
            "history",
            ("revision", "state", "actor"),
            [(s["revision"], s["state"], s["actor"]) for s in history],
        )

    show({**_row(entry), "declaration": entry.declaration, "history": history}, json_=json_, text=text)


def _switch(name: str, state: str, summary: str) -> None:
    """Adds the command that moves an interface to ``state``."""

    @interface.command(name, help=summary, epilog=f"Example: licence-hub interface {name} sf-food-permits")
    @click.argument("interface_name", metavar="NAME")
    @as_json
    @with_hub
    def switch(hub: Hub, interface_name: str, json_: bool) -> None:
        _show(
            [Registration(hub.store.registry).set_state(interface_name, state, getpass.getuser())],
            json_=json_,
        )


_switch("enable", "enabled", "Let NAME take records. 启用。")
_switch("pause", "paused", "Let NAME take no more records for now. 暂停。")
_switch("retire", "retired", "Take NAME out of use for good. 停用。")


@interface.command(epilog="Example: licence-hub interface export sf-food-permits > interface.toml")
@click.argument("name")
@with_hub
def export(hub: Hub, name: str) -> None:
    """Print NAME's declaration as the file that `apply` takes."""
    click.echo(Registration(hub.store.registry).export(name), nl=False)


def _row(entry: RegistryEntry) -> dict[str, object]:
    return {"kind": entry.kind, "name": entry.name, "state": entry.state, "revision": entry.revision}


def _show(entries: list[RegistryEntry], *, json_: bool) -> None:
    rows = [_row(entry) for entry in entries]
    columns = ("kind", "name", "state", "revision")
    show(rows, json_=json_, text=lambda: table("registry", columns, [tuple(row.values()) for row in rows]))
