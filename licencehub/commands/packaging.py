"""``package``: the packages that are not made yet. A sealed one is fetched with ``licence package``."""

import getpass
from datetime import UTC, datetime

import click
import msgspec

from core.store.package_queue import HELD, OPEN, STATES, Held
from licencehub.app import Hub
from licencehub.commands.shell import as_json, show, table, with_hub


@click.group()
def package() -> None:
    """Packages that wait or are held; a sealed one is fetched with `licence package`. 待封装的证照文件。"""


@package.command("list", epilog="Example: licence-hub package list --state needs-glyph --limit 20")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(STATES),
    help="Only this state; again for more. Default: all but superseded. 状态。",
)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@click.option("--after", default="", help="Cursor of the page before.")
@as_json
@with_hub
def list_(hub: Hub, states: tuple[str, ...], limit: int, after: str, json_: bool) -> None:
    """List packages that are not there: which, since when, why. Urgent before bulk, oldest first. 列出待封装文件。"""
    page = hub.store.package_queue.list(states or OPEN, after, limit)

    def text() -> None:
        rows = [
            (one.identifier, one.version_no, one.state, _moment(one.since_ms), one.tries, one.detail)
            for one in page.packages
        ]
        table("packages", ("identifier", "version", "state", "since", "tries", "why"), rows)
        if page.next:
            click.echo(f"more: --after {page.next}")

    show(msgspec.to_builtins(page), json_=json_, text=text)


@package.command(
    epilog="Example: licence-hub package release --state needs-glyph --reason 'font extended' · "
    "licence-hub package release --licence 1.2.156.3005.2.… --reason 'record corrected'"
)
@click.option("--state", type=click.Choice(HELD), help="Every package held in this state. 状态。")
@click.option(
    "--licence", "identifier", default="", help="Those of one licence, by identifier or id. 证照标识。"
)
@click.option("--reason", required=True, help="Why; it goes into the journal. 原因。")
@as_json
@with_hub
def release(hub: Hub, state: Held | None, identifier: str, reason: str, json_: bool) -> None:
    """Make packages that are held wait again; the next sweep brings them to a packager. 放行搁置的文件。"""
    if bool(state) == bool(identifier):
        raise click.UsageError("give --state, or --licence")
    if not reason.strip():
        raise click.UsageError("--reason is empty")
    queue, actor = hub.store.package_queue, getpass.getuser()
    if state:
        count = queue.release(state, actor=actor, reason=reason)
    else:
        licence_id = hub.store.licences.get(identifier).id
        count = queue.release_licence(licence_id, actor=actor, reason=reason)
    show({"released": count}, json_=json_, text=lambda: click.echo(f"released: {count}"))


def _moment(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%SZ}"
