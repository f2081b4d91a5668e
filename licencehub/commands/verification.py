"""``verify`` and ``journal``: checking files and the hub's own history."""

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from core.sealing.authority import JOURNAL
from core.service.journal_audit import JournalAudit
from core.service.trust import checkpoint_check
from core.verification.limits import DEFAULT
from core.verification.report import Outcome, Verdict, VerificationReport
from core.verification.trust import TrustStore
from core.verification.verify import verify_file
from licencehub.app import Hub
from licencehub.commands.shell import FAILED, Shell, as_json, pass_shell, show, table, with_hub

_MARKS = {
    Outcome.PASSED: "passed 通过",
    Outcome.FAILED: "FAILED 未通过",
    Outcome.CANNOT: "CANNOT TELL 无法判断",
    Outcome.NOT_RUN: "not run 未执行",
}
_MOST_LISTED = 8
_VERDICTS = {
    Verdict.VALID: "VALID 有效",
    Verdict.INVALID: "INVALID 无效",
    Verdict.CANNOT_VERIFY: "CANNOT VERIFY 无法验证",
}


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
    with file.open("rb") as opened:
        data = opened.read(DEFAULT.file_bytes + 1)  # one more than is judged: a larger file is refused unread
    if trust is not None:
        report = verify_file(data, TrustStore.load(trust))
    elif shell.config_path.exists():
        with shell.hub() as hub:
            report = hub.verify(data)
    else:
        raise click.UsageError("there is no hub here: name a folder of trusted certificates with --trust")
    show(report.as_dict(), json_=json_, text=lambda: _print(file, report))
    if report.verdict.value != "valid":
        context.exit(FAILED)


def _print(file: Path, report: VerificationReport) -> None:
    """The verdict with its reason first, then the steps, who signed, and what nobody signed."""
    _say(f"{file.name}: {_VERDICTS[report.verdict]}")
    if first := report.first_failed:
        _say(f"  {first.step.value}: {first.reason.en} [{first.reason.code}]")
        _say(f"  {first.reason.zh}")
    rows = [
        (r.step.value, _MARKS[r.outcome], f"{_printable(r.reason.en)}\n{_printable(r.reason.zh)}")
        for r in report.steps
    ]
    table(f"steps 步骤 ({report.form})", ("step", "outcome", "reason"), rows)
    for facts in report.signatures:
        when = facts.signed_at.isoformat() if facts.signed_at else "no time stated 未载明时间"
        seal = f"{facts.seal_name}, " if facts.seal_name else ""
        who = facts.signer or "signer unknown 签名者未知"
        _say(f"{facts.kind} {facts.name}: {seal}{who}, {facts.algorithm or '-'}, {when}")
        for note in facts.notes:
            _say(f"  {note.en} / {note.zh}")
    _list("no signature covers 没有签名覆盖", report.unsigned_members)
    _list(
        "not covered 未覆盖",
        [f"{run.length} bytes at {run.offset}: {run.what} / {run.what_zh}" for run in report.uncovered],
    )


def _list(what: str, entries: Sequence[str]) -> None:
    for entry in entries[:_MOST_LISTED]:
        _say(f"{what}: {entry}")
    if len(entries) > _MOST_LISTED:
        more = len(entries) - _MOST_LISTED
        _say(f"{what}: {more} more, all of them with --json / 另有 {more} 项，见 --json")


def _say(text: str) -> None:
    click.echo(_printable(text))


def _printable(text: str) -> str:
    """What a file says of itself must not steer the terminal it is shown on."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


@click.group()
def journal() -> None:
    """The journal of every change. 日志。"""


@journal.command("verify", epilog="Example: licence-hub journal verify --json")
@as_json
@click.pass_context
@with_hub
def journal_verify(hub: Hub, context: click.Context, json_: bool) -> None:
    """Recompute every entry, root and checkpoint; exit 1 and name the first bad entry when history was changed."""
    audit = JournalAudit(hub.store.journal, checkpoint_check(hub.keys(JOURNAL).certificates())).run()
    good = not audit.fault
    summary = f"{audit.size} entries, root {audit.root}, {audit.checkpoints} checkpoints"

    def text() -> None:
        click.echo(summary if good else f"FAULT at entry {audit.first_bad}: {audit.fault}")
        if good and audit.size and not audit.checkpoints:
            click.echo(
                "no checkpoint vouches for it: a new hub signs its first within minutes, else they were removed"
                " 没有检查点可供核对：新系统会在数分钟内签出首个检查点，否则检查点已被删除"
            )

    show({"valid": good, **msgspec.to_builtins(audit)}, json_=json_, text=text)
    if not good:
        context.exit(FAILED)
