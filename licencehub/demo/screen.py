"""What is seen in the terminal: steps, progress bars, tables. Without a terminal the same as plain lines."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from licencehub.demo.judgement import Judged

PLAIN_WIDTH = 150
ROOM_FOR_REMEDIES = 132
MISMATCHES_SHOWN = 20

Counts = dict[str, tuple[int, int]]
"""Bar -> (done, of how many)."""


class Screen:
    """The terminal, or a file."""

    def __init__(self) -> None:
        probe = Console()
        width = None if probe.is_terminal or "COLUMNS" in os.environ else PLAIN_WIDTH
        self._console = Console(width=width, highlight=False)

    def title(self, text: str, below: str) -> None:
        """The head of the whole."""
        self._console.print(Panel(below, title=text, title_align="left", expand=False, padding=(0, 2)))

    def step(self, text: str) -> None:
        """A step begins or has ended."""
        self._console.print(f"[bold cyan]▸[/] {text}")

    def line(self, text: str = "") -> None:
        """A line of its own."""
        self._console.print(text, soft_wrap=True)

    def error(self, text: str) -> None:
        """What went wrong, word for word."""
        self._console.print(text, style="bold red", markup=False, soft_wrap=True)

    @contextmanager
    def bars(self, labels: dict[str, str]) -> Iterator["Bars"]:
        """Progress bars by name; in a file one line when all is done."""
        if self._console.is_terminal:
            columns = (
                TextColumn("  {task.description}"),
                BarColumn(32),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            with Progress(*columns, console=self._console) as progress:
                yield Bars(progress, labels)
        else:
            bars = Bars(None, labels)
            yield bars
            self.line(
                "  " + ", ".join(f"{labels[name]} {done}/{of}" for name, (done, of) in bars.counts.items())
            )

    def outcomes(self, judged: Sequence[Judged]) -> None:
        """Expected against seen, by outcome of the rows."""
        rows = [one for one in judged if one.kind == "row"]
        expected, seen = Counter(one.expected.outcome for one in rows), Counter(one.outcome for one in rows)
        table = _table("Rows by outcome 各行结果", "outcome 结果", ">expected 应有", ">seen 实有", "")
        for outcome in sorted(expected | seen, key=lambda name: -expected[name]):
            right = expected[outcome] == seen[outcome]
            table.add_row(outcome, str(expected[outcome]), str(seen[outcome]), _mark(right=right))
        total = sum(one.right for one in rows)
        table.add_section()
        whole = _mark(right=total == len(rows))
        table.add_row("row by row 逐行一致", str(len(rows)), str(total), whole, style="bold")
        self._console.print(table)

    def causes(self, judged: Sequence[Judged]) -> None:
        """Every cause with its outcome, its rule, how many of its rows came out right, and what the sender is told."""
        groups: dict[tuple[str, str, str], list[Judged]] = {}
        for one in judged:
            if one.kind in ("row", "file"):
                groups.setdefault((one.cause, one.expected.outcome, one.expected.rule), []).append(one)
        table = self._with_remedies(
            "Rows by cause 各行情形", "cause 情形", "outcome 结果", "rule 规则", ">right 正确"
        )
        for (cause, outcome, rule), rows in sorted(groups.items(), key=_by_rule_then_size):
            right = sum(row.right for row in rows)
            remedy = next((row.remedy for row in rows if row.remedy), "")
            counts = f"{right}/{len(rows)} {_mark(right=right == len(rows))}"
            _add(table, cause, outcome, rule, counts, remedy)
        self._print(table)

    def attempts(self, judged: Sequence[Judged]) -> None:
        """What the gateway answered at the door."""
        table = self._with_remedies(
            "At the door 网关即时答复", "request 请求", "answer 答复", "rule 规则", ""
        )
        for one in judged:
            if one.kind == "door":
                _add(table, one.cause, one.outcome, " ".join(one.rules), _mark(right=one.right), one.remedy)
        self._print(table)

    def checks(self, judged: Sequence[Judged]) -> None:
        """The checks of the whole."""
        table = _table("Checks 核对", "check 项目", "seen 结果", "")
        for one in judged:
            if one.kind == "check":
                table.add_row(one.cause, one.outcome, _mark(right=one.right))
        self._console.print(table)

    def lines(self, title: str, facts: dict[str, str]) -> None:
        """Names and values, each value whole on a line, so that it can be copied."""
        self._console.print(title, style="bold cyan")
        for name, value in facts.items():
            self._console.print(f"  {name}", style="bold")
            self._console.print(f"    {value}", soft_wrap=True, markup=False)

    def _print(self, table: Table) -> None:
        """The last column, when it is the one that may be cut, gets what the others leave."""
        if table.columns[-1].ratio:
            for column in table.columns[:-1]:
                texts = (Text.from_markup(str(cell)) for cell in (column.header, *column.cells))
                column.min_width = max(text.cell_len for text in texts)
        self._console.print(table)

    def _with_remedies(self, title: str, *columns: str) -> Table:
        """A table with one more column, what the sender is told to do, where there is room for it."""
        table = _table(title, *columns)
        if self._console.width >= ROOM_FOR_REMEDIES:
            table.add_column("what the sender is told 处理办法", no_wrap=True, overflow="ellipsis", ratio=1)
        return table

    def mismatches(self, judged: Sequence[Judged]) -> None:
        """Rows that came out otherwise."""
        wrong = [one for one in judged if not one.right]
        if not wrong:
            return
        table = _table("Differences 差异", "where", "cause", "expected", "seen")
        for one in wrong[:MISMATCHES_SHOWN]:
            wanted = f"{one.expected.outcome} {one.expected.rule}"
            table.add_row(one.where, one.cause, wanted, f"{one.outcome} {' '.join(one.rules)}")
        self._console.print(table)
        if len(wrong) > MISMATCHES_SHOWN:
            self.line(f"  … and {len(wrong) - MISMATCHES_SHOWN} more")

    def facts(self, title: str, facts: dict[str, str]) -> None:
        """Names and values."""
        table = _table(title, "", "")
        table.show_header = False
        for name, value in facts.items():
            table.add_row(f"[bold]{name}[/]", value)
        self._console.print(table)


class Bars:
    """The bars of one step."""

    def __init__(self, progress: Progress | None, labels: dict[str, str]) -> None:
        self.counts: Counts = {}
        self._progress = progress
        self._tasks = (
            {name: progress.add_task(label, total=None) for name, label in labels.items()} if progress else {}
        )

    def show(self, counts: Counts) -> None:
        """Moves the bars."""
        self.counts.update(counts)
        for name, task in self._tasks.items():
            if self._progress is not None and name in counts:
                done, of = counts[name]
                self._progress.update(task, completed=min(done, of), total=of)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold cyan", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        right = column.startswith(">")
        table.add_column(column.removeprefix(">"), justify="right" if right else "left", overflow="fold")
    return table


def _mark(*, right: bool) -> str:
    return "[green]✓[/]" if right else "[red]✗[/]"


def _add(table: Table, *cells: str) -> None:
    table.add_row(*cells[: len(table.columns)])


def _by_rule_then_size(group: tuple[tuple[str, str, str], list[Judged]]) -> tuple[str, int]:
    (_cause, _outcome, rule), rows = group
    return rule, -len(rows)
