"""``ingest``, ``ledger``, ``replay``: records in, what became of them, and once more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from adapters.filedrop.folder import origin_of
from contracts.outcome import Outcome
from core.store.ledger import LedgerRow
from licencehub.app import Hub
from licencehub.commands.shell import FAILED, as_json, config_path, readable, show, table, with_hub

SINCE = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
PAGE = 1000


@click.command(epilog="Example: licence-hub ingest sf-food-permits permits.csv")
@click.argument("interface")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@as_json
@click.pass_context
@with_hub
def ingest(hub: Hub, context: click.Context, interface: str, files: tuple[Path, ...], json_: bool) -> None:
    """Take FILES in through INTERFACE and wait for the outcome of every record. 导入文件。

    Exit 0 when every record has an outcome, whichever; 1 when a file was refused as a whole.
    """
    from licencehub.ingestion import ingest_files

    with _bar("records", quiet=json_) as advance:
        taken = ingest_files(hub, config_path(context), interface, files, advance)
    value: list[dict[str, Any]] = [
        {
            "file": origin_of(str(file)),
            "submission": str(one.submission.id),
            "verdict": one.verdict,
            "rows": one.submission.rows,
            "records": one.submission.records,
            "skipped": one.submission.skipped,
            "outcomes": {
                o.value: n for o, n in hub.store.ledger.totals(submission=one.submission.id).items()
            },
            "faults": [fault.as_dict() for fault in one.faults],
        }
        for file, one in zip(files, taken, strict=True)
    ]

    def text() -> None:
        for row in value:
            counts = ", ".join(f"{outcome} {n}" for outcome, n in sorted(row["outcomes"].items()))
            click.echo(
                f"{row['file']}: {row['verdict']}, {row['rows']} rows, {row['records']} records: {counts or 'none'}"
            )
            for fault in row["faults"]:
                click.echo(
                    f"  {fault['message']['en']} {fault['message']['zh-CN']} ({fault['remedy']['en']} {fault['remedy']['zh-CN']})"
                )

    show(value, json_=json_, text=text)
    if any(one.verdict == "refused" for one in taken):
        context.exit(FAILED)


@click.command(epilog="Example: licence-hub ledger --interface sf-food-permits --outcome quarantined")
@click.option("--interface", default="", help="Only this interface.")
@click.option(
    "--outcome", type=click.Choice([outcome.value for outcome in Outcome]), help="Only this outcome."
)
@click.option("--submission", type=click.UUID, help="Only this submission.")
@click.option("--receipt", type=click.UUID, help="One receipt, with its findings.")
@click.option("--since", type=SINCE, help="Taken in at or after this moment (UTC).")
@click.option("--after", type=click.UUID, help="Go on after this receipt.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000))
@click.option("--totals", is_flag=True, help="Counts by outcome instead of rows.")
@as_json
@with_hub
def ledger(
    hub: Hub,
    *,
    interface: str,
    outcome: str | None,
    submission: UUID | None,
    receipt: UUID | None,
    since: datetime | None,
    after: UUID | None,
    limit: int,
    totals: bool,
    json_: bool,
) -> None:
    """What became of every record: one outcome per receipt. 台账。

    `row` counts from 1, as in the department's receipt file; `position` of --json counts from 0.
    """
    since_ms = _ms(since)
    if totals:
        counts = hub.store.ledger.totals(submission=submission, interface=interface, since_ms=since_ms)
        value = {found.value: n for found, n in counts.items()}
        show(value, json_=json_, text=lambda: table("totals", ("outcome", "records"), sorted(value.items())))
        return
    wanted = Outcome(outcome) if outcome else None
    rows = (
        [hub.store.ledger.entry(receipt)]
        if receipt
        else hub.store.ledger.page(
            interface=interface,
            outcome=wanted,
            submission=submission,
            since_ms=since_ms,
            after=after,
            limit=limit,
        )
    )

    def text() -> None:
        columns = ("receipt", "interface", "row", "outcome", "rules", "cause")
        table(
            "ledger",
            columns,
            [(r.receipt, r.interface, r.position + 1, r.outcome.value, r.rules, r.cause) for r in rows],
        )
        for row in rows:
            for fault in row.faults:
                value = "" if fault.value is None else f" {readable(fault.value)!r}"
                click.echo(
                    f"{fault.rule} at {fault.pointer or '/'}{value}: {fault.message} {fault.message_zh} "
                    f"({fault.remedy} {fault.remedy_zh})"
                )

    show([_row(row) for row in rows], json_=json_, text=text)


@click.command(epilog="Example: licence-hub replay --interface sf-food-permits --since 2026-11-01 --preview")
@click.option("--receipt", type=click.UUID, help="One record.")
@click.option("--interface", default="", help="All records of this interface taken in since --since.")
@click.option("--since", type=SINCE, help="Taken in at or after this moment (UTC).")
@click.option("--preview", is_flag=True, help="Only count what would come of it.")
@as_json
@click.pass_context
@with_hub
def replay(
    hub: Hub,
    context: click.Context,
    receipt: UUID | None,
    interface: str,
    since: datetime | None,
    *,
    preview: bool,
    json_: bool,
) -> None:
    """Read raw input again under today's mapping and rules. 重放。

    Exit 1 when a file is no longer kept: its records are counted, all others are replayed.
    """
    from adapters.rereading import Gone, Rereader
    from core.ports.intake import Lot
    from licencehub.ingestion import live_interface, wait_for_receipts, worker_at_hand
    from router.replay import Replay

    if bool(receipt) == bool(interface and since):
        raise click.UsageError("name either --receipt, or --interface and --since")
    rows = [hub.store.ledger.entry(receipt)] if receipt else list(_all_rows(hub, interface, since))
    live = live_interface(hub, interface or rows[0].interface)
    gone: list[Gone] = []
    source = Rereader(hub.store, hub.config.data).drafts(rows, live, gone)
    lot = Lot(live.declaration.name, live.revision, "replay", live.declaration.collection)
    run = Replay(hub.store, lot)
    if preview:
        expected = run.preview(source)
        counts, closed = dict(expected.outcomes), expected.cases_closed
    else:
        with worker_at_hand(hub, config_path(context)), _bar("replayed", quiet=json_) as advance:
            receipts = run.publish(source, hub.intake())
            hub.manifest.write()
            counts = wait_for_receipts(hub, receipts, advance)
        closed = hub.store.quarantine.replayed(live.declaration.name, set(receipts))
    value = {"preview": preview, "records": len(rows), "outcomes": counts, "cases_closed": closed}
    value["gone"] = msgspec.to_builtins(gone)

    def text() -> None:
        table("would become" if preview else "became", ("outcome", "records"), sorted(counts.items()))
        if closed:
            click.echo(f"quarantine cases {'that would close' if preview else 'closed'}: {closed}")
        if gone:
            title = "not read again: these files are no longer kept 文件已不在归档中，未重放"
            table(title, ("submission", "file", "records"), [(g.submission, g.file, g.records) for g in gone])

    show(value, json_=json_, text=text)
    if gone:
        context.exit(FAILED)


def _all_rows(hub: Hub, interface: str, since: datetime | None) -> Iterator[LedgerRow]:
    """Rows of first submissions: what was replayed before is not replayed once more."""
    after: UUID | None = None
    while True:
        page = hub.store.ledger.page(interface=interface, since_ms=_ms(since), after=after, limit=PAGE)
        yield from (row for row in page if not row.cause)
        if len(page) < PAGE:
            return
        after = page[-1].receipt


@contextmanager
def _bar(title: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bars:
        task = bars.add_task(title, total=None)

        def advance(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        yield advance


def _ms(moment: datetime | None) -> int | None:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000) if moment else None


def _row(row: LedgerRow) -> dict[str, object]:
    return {
        "receipt": str(row.receipt),
        "interface": row.interface,
        "interface_revision": row.interface_revision,
        "submission": str(row.submission),
        "position": row.position,
        "rows": row.rows,
        "collection": row.collection.value,
        "outcome": row.outcome.value,
        "licence": str(row.licence_id) if row.licence_id else None,
        "version": row.version_no,
        "rules": list(row.rules),
        "cause": row.cause,
        "faults": [fault.as_dict() for fault in row.faults],
        "decided_ms": row.decided_ms,
    }
