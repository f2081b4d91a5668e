"""``verify`` and ``journal``: checking files and the hub's own history."""

from pathlib import Path

import click
import msgspec

from core.service.journal_audit import JournalAudit
from core.service.trust import checkpoint_check
from core.verification.report import Outcome, VerificationReport
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from licencehub.app import Hub
from licencehub.commands.shell import FAILED, Shell, as_json, pass_shell, show, table, with_hub

_MARKS = {Outcome.PASSED: "passed 通过", Outcome.FAILED: "FAILED 未通过"}


@click.command(epilog="Example: licence-hub verify licence.ofd --trust ./trust --json")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--trust",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of trusted certificates; without it, those of the configured hub, which is asked for status and data too.",
)
@as_json
@pass_shell
@click.pass_context
def verify(context: click.Context, shell: Shell, file: Path, trust: Path | None, json_: bool) -> None:
    """Verify a package file, anybody's: security, then status and data. Exit 1 for invalid and for cannot-verify. 验证。"""
    data = file.read_bytes()
    if trust is not None:
        report = verify_file(data, TrustStore.load(trust))
    elif shell.config_path.exists():
        with shell.hub() as hub:
            report = hub.verify(data)
    else:
        raise click.UsageError("there is no hub here: name a folder of trusted certificates with --trust")
    show(report.as_dict(), json_=json_, text=lambda: _print(report))
    if report.verdict.value != "valid":
        context.exit(FAILED)


def _print(report: VerificationReport) -> None:
    rows = [
        (r.step.value, _MARKS.get(r.outcome, r.outcome.value), f"{r.reason.en}\n{r.reason.zh}")
        for r in report.steps
    ]
    table(f"{report.verdict.value} ({report.form})", ("step", "outcome", "reason"), rows)
    for facts in report.signatures:
        click.echo(f"{facts.kind}: {facts.signer}, {facts.algorithm}, {facts.signed_at}")
    for member in report.unsigned_members:
        click.echo(f"not covered by any signature: {member}")


@click.group()
def journal() -> None:
    """The journal of every change. 日志。"""


@journal.command("verify", epilog="Example: licence-hub journal verify --json")
@as_json
@click.pass_context
@with_hub
def journal_verify(hub: Hub, context: click.Context, json_: bool) -> None:
    """Recompute every entry, root and checkpoint; exit 1 and name the first bad entry when history was changed."""
    audit = JournalAudit(hub.store.journal, checkpoint_check(hub.journal_signer)).run()
    good = not audit.fault
    summary = f"{audit.size} entries, root {audit.root}, {audit.checkpoints} checkpoints"

    def text() -> None:
        click.echo(summary if good else f"FAULT at entry {audit.first_bad}: {audit.fault}")

    show({"valid": good, **msgspec.to_builtins(audit)}, json_=json_, text=text)
    if not good:
        context.exit(FAILED)
