"""``python -m licencehub.demo``: what ``make run`` starts."""

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import click
import httpx

from core.config.load import PREFIX
from core.errors import HubError
from licencehub import __version__
from licencehub.demo.ending import keep_serving, show_journal, show_licence, summary
from licencehub.demo.generator import Sizes
from licencehub.demo.receiver import Receiver
from licencehub.demo.screen import Screen
from licencehub.demo.sending import ClientFailed
from licencehub.demo.servers import NoServers, Servers, find_servers
from licencehub.demo.stage import (
    SUBSCRIBER,
    DidNotStart,
    Serving,
    forget_old_runs,
    make_stage,
    run_name,
)
from licencehub.demo.story import Plan, Story

DEFAULT_SEED = 20261123


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stack", type=click.Choice(["embedded", "production"]), default="embedded", show_default=True)
@click.option("--once", is_flag=True, help="End after the summary; exit 0 only if every row had its outcome.")
@click.option("--seed", default=DEFAULT_SEED, show_default=True, help="Other data with another number.")
@click.option(
    "--scale",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.1, 20),
    help="So many times the usual number of licences.",
)
@click.option(
    "--home",
    default="run",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that holds the hubs of the runs.",
)
@click.option("--keep", is_flag=True, help="Leave database and queues of a production run when it ends.")
def main(stack: str, seed: int, scale: float, home: Path, *, once: bool, keep: bool) -> None:
    """Make a hub, do the main job on invented data before your eyes, and compare every row with what must come of it."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    signal.signal(signal.SIGTERM, _interrupted)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]  # settings of another hub would win over the configuration of this one
    screen = Screen()
    try:
        with _servers(stack, screen, keep=keep) as servers:
            good = _run(screen, servers, home, seed=seed, sizes=_sizes(scale), once=once)
    except NoServers as error:
        screen.error(str(error))
        sys.exit(2)
    except (DidNotStart, ClientFailed, HubError, httpx.HTTPError) as error:
        screen.error(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        screen.line("stopped 已停止")
        sys.exit(130)
    sys.exit(0 if good else 1)


def _run(screen: Screen, servers: Servers | None, home: Path, *, seed: int, sizes: Sizes, once: bool) -> bool:
    """One run with its own hub; true when every row had its outcome."""
    began = time.monotonic()
    stack = "RabbitMQ + PostgreSQL" if servers else "embedded: SQLite bus and store 嵌入式"
    forget_old_runs(home)
    folder = (home / run_name("production" if servers else "embedded")).absolute()
    screen.title(
        f"Licence Hub 电子证照枢纽 {__version__}",
        f"{stack}\nhub 枢纽目录: {folder}\nall names and numbers are invented 数据均为虚构",
    )
    with Receiver(lambda: (folder / "secrets" / f"{SUBSCRIBER}.key").read_bytes().strip()) as receiver:
        screen.step(
            "making the hub 创建枢纽: keys, development authority and seal, three interfaces, licence types"
        )
        stage = make_stage(folder, servers, receiver.url, lasting=not once)
        serving = Serving(stage)
        try:
            serving.wait_until_ready()
            screen.line(f"  serving at {stage.base} after {time.monotonic() - began:.1f} s")
            story = Story(screen, stage, serving, receiver)
            _tell(story, Plan.made(seed, sizes))
            good = summary(screen, story, time.monotonic() - began)
            if not once:
                keep_serving(story)
        finally:
            status = serving.end()
    if status != 0:
        screen.error(f"the hub ended with status {status} 枢纽异常退出; see {stage.log}")
    return good and status == 0


def _tell(story: Story, plan: Plan) -> None:
    story.tell_wave(
        "three departments send 三个部门报送: GB18030 CSV, XLSX workbook, signed pushes", plan.first, []
    )
    story.tell_wave(
        "they send again 再次报送: repeats, renewals, old versions, conflicts; and what the gateway must refuse 网关拒收",
        plan.second,
        plan.door,
    )
    story.tell_packages()
    story.tell_silence(plan.spare)
    show_licence(story, plan)
    show_journal(story)


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _sizes(scale: float) -> Sizes:
    usual = Sizes()
    return Sizes(*(max(60, round(count * scale)) for count in (usual.food, usual.hygiene, usual.road)))


@contextlib.contextmanager
def _servers(stack: str, screen: Screen, *, keep: bool) -> Iterator[Servers | None]:
    """A database and queues of this run's own, taken away at its end; nothing for the embedded stack."""
    if stack == "embedded":
        yield None
        return
    servers = find_servers(f"licence-hub-{run_name('run')}", screen.step)
    try:
        yield servers
    finally:
        if not keep:
            servers.remove()


if __name__ == "__main__":
    main()
