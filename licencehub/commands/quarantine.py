"""``quarantine``: records that wait for a person."""

import getpass
from pathlib import Path
from typing import get_args
from uuid import UUID

import click
import msgspec

from contracts.record import LicenceRecord
from core.store.quarantine import CaseView, Choice
from licencehub.app import Hub
from licencehub.commands.shell import as_json, show, table, with_hub

because = click.option("--reason", required=True, help="Why; it is kept with the decision. 理由。")


@click.group()
def quarantine() -> None:
    """Inspect and decide held records: quarantined ones and conflicts. 隔离与冲突。"""


@quarantine.command(
    "list", epilog="Example: licence-hub quarantine list --interface sf-food-permits --state open"
)
@click.option("--interface", default="", help="Only this interface.")
@click.option("--state", type=click.Choice(["open", "claimed", "accepted", "resubmitted", "rejected"]))
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
    """Show one case whole: record, findings, and for a conflict the fields that differ. Contains personal data."""
    detail = hub.store.quarantine.get(receipt)
    value = {
        "case": msgspec.to_builtins(detail.case),
        "record": msgspec.to_builtins(detail.record),
        "faults": [fault.as_dict() for fault in detail.faults],
        "against": detail.against,
        "differences": msgspec.to_builtins(detail.differences),
    }

    def text() -> None:
        click.echo(f"{detail.case.kind} {receipt}: {detail.case.state}, interface {detail.case.interface}")
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
    """Send the corrected record (the `record` of `show --json`, mended) in again under a receipt of its own."""
    from router.resubmission import Resubmission

    try:
        record = msgspec.json.decode(file.read_bytes(), type=LicenceRecord)
    except msgspec.DecodeError as error:
        raise click.UsageError(f"{file} holds no licence record: {error}") from error
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


def _show(cases: list[CaseView], *, json_: bool) -> None:
    rows = [
        (case.receipt, case.interface, case.kind, case.state, ", ".join(case.rules), case.claimed_by)
        for case in cases
    ]
    columns = ("receipt", "interface", "kind", "state", "rules", "claimed by")
    show(msgspec.to_builtins(cases), json_=json_, text=lambda: table("cases", columns, rows))
