"""What the commands have in common: finding the configuration, printing, exit codes, errors in words."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import update_wrapper
from pathlib import Path
from typing import Any, TypeVar

import click
import orjson
from rich.console import Console
from rich.table import Table

from core.config import FILE_NAME, load_config
from core.errors import ConfigError, HubError
from licencehub.app import Hub

DONE, FAILED, USAGE = 0, 1, 2
"""Exit codes: done; the operation found or met a failure; usage or configuration error."""

Command = TypeVar("Command", bound=Callable[..., Any])

as_json = click.option("--json", "json_", is_flag=True, help="Print JSON instead of text. 输出 JSON。")


class Shell:
    """The command's surroundings: where the configuration is and how to print."""

    def __init__(self, config: Path | None) -> None:
        self._config = config

    @property
    def config_path(self) -> Path:
        """``-c FILE``, else ``LICENCE_HUB_CONFIG``, else ``./licence-hub.toml``."""
        return self._config or Path(os.environ.get("LICENCE_HUB_CONFIG") or FILE_NAME)

    def hub(self, process: str = "command") -> Hub:
        """The configured hub; raises ``ConfigError``."""
        return Hub(load_config(self.config_path), process)


pass_shell = click.make_pass_decorator(Shell)


def with_hub(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the opened hub as its first argument and closes it afterwards."""

    @pass_shell
    def run(shell: Shell, *args: Any, **kwargs: Any) -> Any:
        with shell.hub() as hub:
            return command(hub, *args, **kwargs)

    return update_wrapper(run, command)


def show(value: Any, *, json_: bool, text: Callable[[], None] | None = None) -> None:
    """Prints ``value`` as JSON, or as the command's own text."""
    if json_ or text is None:
        sys.stdout.buffer.write(
            orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS) + b"\n"
        )
        sys.stdout.flush()
    else:
        text()


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints a table; an empty one says so."""
    drawn = Table(title=title, title_justify="left")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*("" if cell is None else str(cell) for cell in row))
    Console(soft_wrap=False).print(drawn if drawn.row_count else f"{title}: none 无")


def report(error: HubError) -> int:
    """Prints an error of the hub in words; returns the exit code it means."""
    click.echo(f"licence-hub: {error}", err=True)
    if error.summary_zh != error.summary:
        click.echo(f"licence-hub: {error.summary_zh}", err=True)
    return USAGE if isinstance(error, ConfigError) else FAILED
