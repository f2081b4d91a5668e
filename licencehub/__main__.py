"""``licence-hub``: the command line."""

import importlib
import io
import sys
from pathlib import Path
from typing import Any

import click

from licencehub import __version__

COMMANDS = {
    "init": "hub",
    "serve": "hub",
    "doctor": "hub",
    "interface": "interface",
    "ingest": "records",
    "ledger": "records",
    "replay": "records",
    "archive": "archive",
    "quarantine": "quarantine",
    "deadletter": "deadletter",
    "licence": "licence",
    "package": "packaging",
    "verify": "verification",
    "journal": "verification",
    "seal": "sealing",
    "ca": "sealing",
    "style": "styling",
}
"""Command -> module of ``licencehub.commands`` that defines it; loaded when it is called."""


class Commands(click.Group):
    """Loads a command's module on demand, so that ``--help`` and completion stay fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"licencehub.commands.{COMMANDS[cmd_name]}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 -- COMMANDS names them
        return command


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "LICENCE_HUB_CLI"},
    epilog='Completion: eval "$(_LICENCE_HUB_COMPLETE=bash_source licence-hub)" (also zsh_source, fish_source).',
)
@click.option(
    "-c",
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Configuration file; else $LICENCE_HUB_CONFIG, else ./licence-hub.toml. 配置文件。",
)
@click.version_option(__version__, prog_name="licence-hub")
@click.pass_context
def cli(ctx: click.Context, config: Path | None) -> None:
    """Licence Hub (电子证照枢纽): takes in licences of many departments, stores, packages, seals and shares them.

    Exit codes: 0 done, 1 the operation found or met a failure, 2 usage or configuration error.
    """
    from licencehub.commands.shell import Shell

    ctx.obj = Shell(config)


def main(arguments: list[str] | None = None) -> Any:
    """Runs the command line and exits."""
    from core.errors import HubError
    from licencehub.commands.shell import report, report_system

    _refuse_strangers()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # a locale without Chinese characters costs them, not the answer
    try:
        cli.main(args=arguments, prog_name="licence-hub")
    except HubError as error:
        sys.exit(report(error))
    except (
        OSError
    ) as error:  # a path that cannot be written, a full disk: the place and the cause, no traceback
        sys.exit(report_system(error))


def _refuse_strangers() -> None:
    """The top-level names (``core`` …) must be ours: another distribution of that name on the path would be imported instead."""
    home = Path(__file__).resolve().parent.parent
    for name in ("contracts", "core", "router", "adapters", "scheduler", "monitoring"):
        module = importlib.import_module(name)
        found = Path(str(module.__file__)).resolve().parent.parent
        if found != home:
            click.echo(
                f"licence-hub: package '{name}' comes from {found}, not from {home}; use an environment of its own",
                err=True,
            )
            sys.exit(2)


if __name__ == "__main__":
    main()
