"""The last pages: one licence with its package, the journal, the tables, and the hub that goes on serving."""

import contextlib
import sys
import time
from pathlib import Path

import httpx

from licencehub.demo.figures import Figures
from licencehub.demo.screen import Screen
from licencehub.demo.showing import Library, journal_report, licence_facts, package_facts
from licencehub.demo.story import Plan, Story

_FROM_END = 300
"""Where the bit is changed, counted from the end of a package: inside its signature."""


def show_licence(story: Story, plan: Plan) -> None:
    """A licence of the nightly file that was renewed since, its package, and the package with one bit changed."""
    renewed = next(row.facts for row in plan.second.files[0].rows if row.expected.outcome == "newer")
    with Library(story.stage) as library:
        licence = library.by_number(renewed.number)
        story.shown = licence["identifier"]
        story.screen.facts("One licence 一份证照", licence_facts(licence, library.history(story.shown)))
        try:
            data, pdf = library.package(story.shown, "ofd"), library.package(story.shown, "pdf")
        except httpx.HTTPStatusError as error:
            answer = f"{error.response.status_code} {error.response.json()['code']}"
            story.add("package", "package fetched 取用证照文件", "200", answer)
            return
        genuine, forged = library.verification(data), library.verification(_with_changed_bit(data))
        printed = library.verification(pdf)
    story.screen.facts("Its package and verification 封装与验证", package_facts(data, genuine, pdf, printed))
    story.add("package", "OFD package verified 验证OFD", "verified valid", f"verified {genuine['verdict']}")
    story.add("package", "PDF package verified 验证PDF", "verified valid", f"verified {printed['verdict']}")
    story.add(
        "package", "one bit of it changed 改动一位", "verified invalid", f"verified {forged['verdict']}"
    )


def show_journal(story: Story) -> None:
    """Size and root of the journal, and whether the subscriber has all of it, each change once."""
    receiver = story.receiver
    complete = story.waits(lambda: receiver.has_all(Figures.of(story.stage.base).total("journal_size")))
    report = journal_report(story.stage)
    state = "valid" if report["valid"] else f"broken: {report.get('fault')}"
    story.add("journal", "journal recomputed 日志重算", "journal valid", f"journal {state}")
    seen = "all changes received" if complete else "changes missing"
    story.add("subscriber", "every change at the subscriber 变更逐条送达", "all changes received", seen)
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(receiver.kinds.items()))
    facts = {
        "entries 条目": f"{report['size']:,}",
        "root 根": report["root"],
        "recomputed 重算": state,
        "subscriber has 订阅方已收": f"{len(receiver.numbers):,} changes, {receiver.refused} with a bad signature",
        "kinds 类别": kinds,
    }
    story.screen.facts("Journal and subscriber 日志与订阅方", facts)


def summary(screen: Screen, story: Story, took_s: float) -> bool:
    """The tables; true when every row had its outcome."""
    screen.line()
    screen.causes(story.judged)
    screen.attempts(story.judged)
    screen.checks(story.judged)
    screen.outcomes(story.judged)
    screen.mismatches(story.judged)
    good = all(one.right for one in story.judged)
    verdict = "[bold green]every row had its outcome 每一行结果均符合预期[/]"
    screen.line(
        f"{verdict if good else '[bold red]some rows came out otherwise 存在差异[/]'} ({took_s:.0f} s)"
    )
    return good


def keep_serving(story: Story) -> None:
    """Until Ctrl-C, or until the hub ends by itself."""
    stage, screen = story.stage, story.screen
    with Library(stage) as library:
        link = library.face_link(story.shown)
    key, program = (
        _near(stage.secret("client-developer")),
        _near(Path(sys.executable).with_name("licence-hub")),
    )
    screen.lines(
        "The hub goes on serving 枢纽继续运行 (Ctrl-C ends it 结束)",
        {
            "interface description 接口文档": f"{stage.base}/docs",
            "face of the licence 证照版面": f"{link}  (opens once, within ten minutes 十分钟内一次有效)",
            "licences 证照查询": f'curl -H "Authorization: Bearer $(cat {key})" "{stage.base}/v1/licences?limit=5"',
            "metrics 指标": f"{stage.base}/metrics",
            "command line 命令行": f"{program} -c {_near(stage.config)} quarantine list",
            "drop folders 投递目录": f"{_near(stage.drops)}",
        },
    )
    with contextlib.suppress(KeyboardInterrupt):
        while story.serving.is_alive():
            time.sleep(0.5)
    screen.step("ending 正在结束 …")


def _near(path: Path) -> Path:
    """The path as it is typed from here, where that is shorter."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _with_changed_bit(data: bytes) -> bytes:
    spoiled = bytearray(data)
    spoiled[-_FROM_END] ^= 1
    return bytes(spoiled)
