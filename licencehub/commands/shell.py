"""What the commands have in common: finding the configuration, printing, exit codes, errors in words."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import update_wrapper
from pathlib import Path
from typing import Any, TypeVar

import click
import orjson
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from contracts.text import escaped
from core.config import FILE_NAME, load_config
from core.errors import ConfigError, HubError, TransientError
from licencehub.app import Hub

DONE, FAILED, USAGE = 0, 1, 2
"""Exit codes: done; the operation found or met a failure; usage or configuration error."""

_UNLIMITED = 100_000
"""Columns of an output that is no terminal."""

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


def config_path(context: click.Context) -> Path:
    """The configuration file the command runs with."""
    shell: Shell = context.obj
    return shell.config_path


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
    """Prints a table; an empty one says so.

    Ids and rules can be copied: no word of plain ASCII is broken, whatever the width of the terminal, and nothing at all where
    the output is no terminal.
    """
    console = Console(markup=False, emoji=False, highlight=False)
    cells = [[readable(cell) for cell in row] for row in rows]
    if not cells:
        console.print(f"{title}: none 无")
        return
    drawn = Table(title=title, title_justify="left")
    least = len(columns) + 1
    for texts in zip(columns, *cells, strict=True):
        longest = max(len(word) for text in texts for word in ["", *text.split()] if word.isascii())
        widest = max(cell_len(line) for text in texts for line in text.split("\n"))
        drawn.add_column(texts[0], overflow="fold", min_width=longest, no_wrap=widest <= longest)
        least += longest + 2
    for row in cells:
        drawn.add_row(*row)
    console.width = max(console.width, least) if console.is_terminal else _UNLIMITED
    console.print(drawn, crop=False)


def readable(value: object) -> str:
    """A value as a person reads it: lists with commas, structures by the names of their fields, one to a line in a list."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes 是" if value else "no 否"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {readable(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        separator = "\n" if any(isinstance(part, dict) for part in value) else ", "
        return separator.join(map(readable, value))
    return escaped(str(value))


def report(error: HubError) -> int:
    """Prints an error of the hub in words; returns the exit code it means."""
    click.echo(f"licence-hub: {error}", err=True)
    if error.summary_zh != error.summary:
        detail = f"：{error.detail}" if isinstance(error, TransientError) and error.detail else ""
        click.echo(f"licence-hub: {error.summary_zh}{detail}", err=True)
    return USAGE if isinstance(error, ConfigError) else FAILED


def report_system(error: OSError) -> int:
    """Prints what the operating system refused, and where; returns the exit code it means."""
    place = f"{os.fsdecode(error.filename)!r}: " if isinstance(error.filename, str | bytes) else ""
    why = error.strerror or type(error).__name__
    click.echo(f"licence-hub: {place}{why} (check that the path exists, its rights and free space)", err=True)
    click.echo(f"licence-hub: {place}{why}（请检查路径是否存在、访问权限和剩余空间）", err=True)
    return FAILED
