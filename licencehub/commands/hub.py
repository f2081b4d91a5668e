"""``init``, ``serve``, ``doctor``: making, running and examining a hub."""

import logging
import os
from pathlib import Path

import click

from core.config import FILE_NAME, drafted_config
from licencehub.commands.shell import FAILED, Shell, as_json, pass_shell, show, table

ALL = "all"
ROLE_NAMES = (ALL, "gateway", "worker", "packager", "poller", "scheduler", "sequencer")


@click.command(epilog="Example: licence-hub init ./hub && cd hub && licence-hub serve")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--stack", type=click.Choice(["embedded", "production"]), default="embedded", show_default=True)
@as_json
def init(directory: Path, stack: str, json_: bool) -> None:
    """Make a hub in DIRECTORY: configuration, secrets, development seal, empty store. 创建一个枢纽。"""
    from licencehub.foundation import found_hub

    path = directory / FILE_NAME
    if path.exists():
        raise click.UsageError(f"{path} exists: this directory holds a hub already")
    with (
        drafted_config(directory, "production" if stack == "production" else "embedded", os.environ) as draft,
        Shell(draft).hub("init") as hub,
    ):
        made = found_hub(hub)
    show(
        {"config": str(path), **made},
        json_=json_,
        text=lambda: click.echo(f"made {path}\nnext: licence-hub -c {path} serve"),
    )


@click.command(epilog="Example: licence-hub serve --role gateway")
@click.option(
    "--role",
    type=click.Choice(ROLE_NAMES),
    default=ALL,
    show_default=True,
    help="What this process does. 角色。",
)
@click.option("--slot", default="", help="Name of this process in metrics and manifests; default: the role.")
@pass_shell
def serve(shell: Shell, role: str, slot: str) -> None:
    """Run the hub until SIGTERM: everything on this host, or one role of it. 运行枢纽。"""
    from licencehub.logs import configure_logging
    from licencehub.serving import serve_role

    hub = shell.hub(slot or role)
    configure_logging(hub.config.log)
    logging.getLogger("licencehub").info("starting %s", hub.process)
    serve_role(hub, role, shell.config_path)


@click.command(epilog="Example: licence-hub doctor --json")
@as_json
@pass_shell
@click.pass_context
def doctor(context: click.Context, shell: Shell, json_: bool) -> None:
    """Examine configuration, store, bus, keys and seals; exit 1 when something is wrong. 诊断。"""
    from licencehub.examination import examine

    with shell.hub("doctor") as hub:
        findings = examine(hub)
    healthy = all(finding.ok for finding in findings)
    rows = [finding.as_dict() for finding in findings]

    def text() -> None:
        table(
            "doctor",
            ("part", "state", "finding"),
            [(f.part, "ok" if f.ok else "FAULT", f.text) for f in findings],
        )

    show({"healthy": healthy, "findings": rows}, json_=json_, text=text)
    if not healthy:
        context.exit(FAILED)
