"""``quarantine``: records that wait for a person."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, get_args
from uuid import UUID

import click
import msgspec

from contracts.declare import DeclarationError
from contracts.fault import Fault
from core.errors import ConfigError, HubError
from core.store.quarantine import CASE_STATES, CaseView, Choice, leaves
from licencehub.app import Hub
from licencehub.commands.shell import as_json, show, table, with_hub

if TYPE_CHECKING:
    from adapters.rereading import Received

because = click.option("--reason", required=True, help="Why; it is kept with the decision. 理由。")


@click.group()
def quarantine() -> None:
    """Inspect and decide held records: quarantined ones and conflicts. 隔离与冲突。"""


@quarantine.command(
    "list", epilog="Example: licence-hub quarantine list --interface sf-food-permits --state open"
)
@click.option("--interface", default="", help="Only this interface.")
@click.option("--state", type=click.Choice(CASE_STATES))
@click.option("--kind", type=click.Choice(["quarantined", "conflict"]))
@click.option("--after", type=click.UUID, help="Go on after this receipt.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000))
@as_json
@with_hub
def list_(
    hub: Hub, interface: str, state: str | None, kind: str | None, after: UUID | None, limit: int, json_: bool
) -> None:
    """List cases with the rules that held them; no values of the records."""
    cases = hub.store.quarantine.page(
        interfaces=[interface] if interface else None,
        state=state,  # type: ignore[arg-type]  # click has checked it against the same list
        kind=kind or "",
        after=after,
        limit=limit,
    )
    _show(cases, json_=json_)


@quarantine.command("show", epilog="Example: licence-hub quarantine show 01936b2e-… --json > case.json")
@click.argument("receipt", type=click.UUID)
@as_json
@with_hub
def show_(hub: Hub, receipt: UUID, json_: bool) -> None:
    """Show one case whole: record, findings, what came in, and for a conflict the fields that differ. Contains personal data.

    Where no record could be made, --json gives the `skeleton` of one, to be filled in for `resubmit`.
    """
    detail = hub.store.quarantine.get(receipt)
    received, why = _received(hub, receipt)
    value = {
        "case": msgspec.to_builtins(detail.case),
        "record": msgspec.to_builtins(detail.record),
        "faults": [fault.as_dict() for fault in detail.faults],
        "against": detail.against,
        "differences": msgspec.to_builtins(detail.differences),
        "received": received and received.rows,
        "received_missing": why,
    }
    if received and detail.record is None:
        value["skeleton"] = received.skeleton

    def text() -> None:
        click.echo(f"{detail.case.kind} {receipt}: {detail.case.state}, interface {detail.case.interface}")
        if detail.case.resubmission:
            click.echo(f"the record went on under {detail.case.resubmission}")
        if detail.record is None:
            click.echo(
                "no record could be made of it: mend the `skeleton` that --json gives, and resubmit it"
            )
            click.echo("未能形成记录：请补全 --json 输出中的 skeleton 后重新提交（resubmit）")
        else:
            table("record", ("field", "value"), list(leaves(value["record"])))
        table(
            "findings",
            ("rule", "place", "value", "message", "remedy"),
            [
                (f.rule, f.pointer, f.value, f"{f.message}\n{f.message_zh}", f"{f.remedy}\n{f.remedy_zh}")
                for f in detail.faults
            ],
        )
        if detail.differences:
            table(
                "differences",
                ("field", "stored", "submitted"),
                [(d.field, d.stored, d.submitted) for d in detail.differences],
            )
        if received:
            rows = [(n, *cell) for n, row in enumerate(received.rows, 1) for cell in row.items()]
            table("received", ("", "column", "value"), rows)
        else:
            click.echo(f"what came in cannot be shown: {why['en']} {why['zh-CN']}")

    show(value, json_=json_, text=text)


@quarantine.command(epilog="Example: licence-hub quarantine claim 01936b2e-…")
@click.argument("receipt", type=click.UUID)
@as_json
@with_hub
def claim(hub: Hub, receipt: UUID, json_: bool) -> None:
    """Take a case, so that nobody else decides it meanwhile."""
    _show([hub.store.quarantine.claim(receipt, getpass.getuser())], json_=json_)


@quarantine.command(
    epilog="Example: licence-hub quarantine decide 01936b2e-… take-new --reason 'confirmed by telephone'"
)
@click.argument("receipt", type=click.UUID)
@click.argument("choice", type=click.Choice(get_args(Choice)))
@because
@as_json
@with_hub
def decide(hub: Hub, receipt: UUID, choice: Choice, reason: str, json_: bool) -> None:
    """Accept a quarantined record as it is, or settle a conflict: take the new record or keep the current one."""
    result = hub.store.quarantine.decide(receipt, choice, getpass.getuser(), reason)
    value = {"receipt": str(receipt), "choice": choice, "result": msgspec.to_builtins(result)}
    outcome = result.outcome.value if result else "kept as it was"
    show(value, json_=json_, text=lambda: click.echo(f"{receipt}: {choice}: {outcome}"))


@quarantine.command(
    epilog="Example: licence-hub quarantine resubmit 01936b2e-… -f corrected.json --reason 'number corrected'"
)
@click.argument("receipt", type=click.UUID)
@click.option("-f", "--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@because
@as_json
@with_hub
def resubmit(hub: Hub, receipt: UUID, file: Path, reason: str, json_: bool) -> None:
    """Send the corrected record in again under a receipt of its own.

    The file is the `record` of `show --json`, mended, or its `skeleton`, filled in.
    """
    from adapters.decoding import parse_record
    from router.resubmission import Resubmission, corrected_record

    parsed = parse_record(file.read_bytes())
    if isinstance(parsed, Fault):
        raise ConfigError(str(file), [parsed])
    try:
        record = corrected_record(parsed)
    except DeclarationError as error:
        raise ConfigError(str(file), error.faults) from error
    fresh = Resubmission(hub.store, hub.intake()).send(receipt, record, getpass.getuser(), reason)
    show({"receipt": str(fresh)}, json_=json_, text=lambda: click.echo(f"resubmitted as {fresh}"))


@quarantine.command(epilog="Example: licence-hub quarantine reject 01936b2e-… --reason 'not a licence'")
@click.argument("receipt", type=click.UUID)
@because
@as_json
@with_hub
def reject(hub: Hub, receipt: UUID, reason: str, json_: bool) -> None:
    """Close a case without storing the record."""
    _show([hub.store.quarantine.reject(receipt, getpass.getuser(), reason)], json_=json_)


def _received(hub: Hub, receipt: UUID) -> tuple["Received | None", dict[str, str]]:
    """What came in for the receipt, or why it cannot be shown, by language."""
    from adapters.rereading import Rereader

    try:
        row = hub.store.ledger.entry(receipt)
        return Rereader(hub.store, hub.config.data).received(row), {}
    except HubError as error:
        return None, {"en": error.summary, "zh-CN": error.summary_zh}


def _show(cases: list[CaseView], *, json_: bool) -> None:
    rows = [
        (case.receipt, case.interface, case.kind, case.state, case.rules, case.claimed_by) for case in cases
    ]
    columns = ("receipt", "interface", "kind", "state", "rules", "claimed by")
    show(msgspec.to_builtins(cases), json_=json_, text=lambda: table("cases", columns, rows))
