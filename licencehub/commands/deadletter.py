"""``deadletter``: messages that could not be delivered, and sending them again."""

import getpass

import click

from licencehub.app import Hub
from licencehub.commands.shell import FAILED, as_json, show, table, with_hub


@click.group()
def deadletter() -> None:
    """Examine and re-drive the dead letter channel. 死信。"""


@deadletter.command("list", epilog="Example: licence-hub deadletter list --limit 20")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000))
@click.option("--after", default="", help="Go on after this parked message.")
@as_json
@with_hub
def list_(hub: Hub, limit: int, after: str, json_: bool) -> None:
    """List parked messages, oldest first, with the reason each was parked for."""
    rows = [
        {
            "id": parked.id,
            "message": parked.message.id,
            "channel": parked.channel.value,
            "tries": parked.tries,
            "parked_ms": parked.parked_at_ms,
            "size_bytes": len(parked.message.body),
            "reason": parked.reason,
        }
        for parked in hub.bus.parked(limit, after)
    ]
    columns = ("id", "message", "channel", "tries", "reason")
    show(
        rows,
        json_=json_,
        text=lambda: table("dead letters", columns, [[row[name] for name in columns] for row in rows]),
    )


@deadletter.command(epilog="Example: licence-hub deadletter redrive --reason 'store repaired' --all")
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every parked message (up to --limit).")
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--reason", required=True, help="Why; it goes into the journal.")
@click.option("--discard", is_flag=True, help="Throw the messages away instead of sending them again.")
@as_json
@click.pass_context
@with_hub
def redrive(
    hub: Hub,
    context: click.Context,
    *,
    ids: tuple[str, ...],
    everything: bool,
    limit: int,
    reason: str,
    discard: bool,
    json_: bool,
) -> None:
    """Send parked messages back to where they came from (or discard them); each needs a reason, all of it is journaled.

    Exit 1 when some of the IDS are not parked (any more).
    """
    if bool(ids) == everything:
        raise click.UsageError("name message ids, or give --all")
    count = hub.bus.redrive(list(ids) or None, limit=limit, discard=discard)
    kind = "deadletter.discarded" if discard else "deadletter.redriven"
    if count:
        data = {"count": count, "ids": list(ids), "reason": reason, "actor": getpass.getuser()}
        hub.store.journal.record(kind, "deadletter", data)
    missing = max(len(set(ids)) - count, 0)

    def text() -> None:
        click.echo(f"{kind}: {count}")
        if missing:
            click.echo(
                f"not parked: {missing} of the ids (see deadletter list) 其中 {missing} 个不在死信中（请查看列表）",
                err=True,
            )

    show({"count": count, "missing": missing, "discarded": discard}, json_=json_, text=text)
    if missing:
        context.exit(FAILED)
