"""The demonstration from its first line to its last."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from random import Random
from typing import Any

from licencehub.demo import sending
from licencehub.demo.authorities import TRANSPORT, licences
from licencehub.demo.door import Attempt, attempts
from licencehub.demo.facts import REFUSED, Expected, Facts, Row
from licencehub.demo.figures import Figures
from licencehub.demo.generator import ROAD, Body, Sizes, Wave, waves
from licencehub.demo.judgement import (
    Judged,
    judge_attempts,
    judge_bodies,
    judge_file,
    read_receipt,
    receipt_path,
)
from licencehub.demo.receiver import Receiver
from licencehub.demo.screen import Counts, Screen
from licencehub.demo.showing import Library
from licencehub.demo.stage import DidNotStart, Serving, Stage
from licencehub.demo.writing import pushed_json

CHINA = timezone(timedelta(hours=8))
LOOK_EVERY_S = 0.25
PATIENCE_S = 180.0
Json = dict[str, Any]


@dataclass
class Plan:
    """All that will be sent."""

    first: Wave
    second: Wave
    door: list[Attempt]
    spare: Facts

    @classmethod
    def made(cls, seed: int, sizes: Sizes) -> "Plan":
        """The plan of a seed, dated by today in China."""
        random, today = Random(seed), datetime.now(UTC).astimezone(CHINA).date()
        first, second = waves(random, today, sizes)
        spare, other = _unsent(random, today, sizes)
        return cls(first, second, attempts(spare, other), spare)


@dataclass
class Story:
    """What has happened so far."""

    screen: Screen
    stage: Stage
    serving: Serving
    receiver: Receiver
    judged: list[Judged] = field(default_factory=list)
    decided: int = 0
    """Receipts given in the waves that are over."""
    shown: str = ""
    """Identifier of the licence that was shown."""

    def add(self, where: str, cause: str, expected: str, seen: str) -> None:
        """Judges something that is no row."""
        self.judged.append(Judged(where, cause, Expected(expected), seen, kind="check"))

    def tell_wave(self, title: str, wave: Wave, door: list[Attempt]) -> None:
        """Sends a wave, follows it with bars, judges it."""
        self.screen.step(title)
        requests = [*sending.of_bodies(wave.bodies), *sending.of_attempts(door)]
        began = time.monotonic()
        sending.drop(self.stage, wave.files)
        pushing = sending.Pushing(self.stage, f"{len(self.judged)}", requests)
        answers = self._follow(wave, len(door), pushing)
        receipts = [(file, read_receipt(receipt_path(self.stage.drops, file))) for file in wave.files]
        found = [one for file, receipt in receipts for one in judge_file(file, receipt)]
        found += [*judge_bodies(wave.bodies, answers), *judge_attempts(door, answers)]
        self.judged += found
        right, took = sum(one.right for one in found), time.monotonic() - began
        self.screen.line(f"  {len(found):,} outcomes, {right:,} as expected 符合预期, {took:.1f} s")

    def _follow(self, wave: Wave, door: int, pushing: sending.Pushing) -> dict[str, Json]:
        """Moves the bars until the client has ended and every file has its receipt."""
        pushed = sum(len(body.rows) for body in wave.bodies) + door
        expected = _receipts(wave) + bool(door)  # at the door one record is accepted
        seen = {"answered": 0}
        labels = {
            "pushed": "records pushed 已推送",
            "files": "files with a receipt 已出具回执的文件",
            "decided": "outcomes in the ledger 台账结果",
            "packages": "package files sealed 已签章文件",
            "changes": "changes at the subscriber 订阅方已收",
        }
        with self.screen.bars(labels) as bars, ThreadPoolExecutor(1) as pool, pushing:
            future = pool.submit(pushing.follow, seen.update)
            for _ in self._looks():
                receipts = sum(receipt_path(self.stage.drops, file).exists() for file in wave.files)
                own: Counts = {
                    "pushed": (seen["answered"], pushed),
                    "files": (receipts, len(wave.files)),
                }
                bars.show(own | self._counts(self.decided + expected))
                if _ended(future) and receipts == len(wave.files):
                    break
            self.decided += expected
            return future.result()

    def _counts(self, receipts: int) -> Counts:
        figures = Figures.of(self.stage.base)
        size = figures.total("journal_size")
        pending = figures.total("seal_pending_packages")
        sealed = figures.total("packages", state="packaged")
        return {
            "decided": (figures.total("records_total", stage="store"), receipts),
            "packages": (sealed, sealed + pending),
            "changes": (len(self.receiver.numbers), size),
        }

    def tell_silence(self, spare: Facts) -> None:
        """Waits until the pushing department's silence is reported, lets it speak, and waits until the alert closes itself."""
        self.screen.step(
            "a department falls silent 部门中断报送: an alert is raised, and closes itself 预警自动产生并解除"
        )
        body = Body(
            "speaks-again",
            pushed_json(spare),
            (Row("sent again 重复报送", spare, Expected("repeat")),),
            lines=False,
        )
        events = self.receiver.alerts
        raised = self.waits(lambda: events and events[-1] == ("alert.raised", ROAD))
        pushing = sending.Pushing(self.stage, "speaks-again", sending.of_bodies([body]))
        with pushing:
            self.judged += judge_bodies([body], pushing.follow(lambda _progress: None))
        closed = self.waits(lambda: events and events[-1] == ("alert.closed", ROAD))
        self.add(
            "alert", "department silent 部门中断", "alert raised", "alert raised" if raised else "no alert"
        )
        seen = "alert closed" if closed else "alert left open"
        self.add("alert", "department speaks again 恢复报送", "alert closed", seen)
        self.screen.line(f"  {' → '.join(kind for kind, _ in events)} ({ROAD})")

    def tell_packages(self) -> None:
        """Waits until every licence in force is sealed and the subscriber has every change."""
        self.screen.step("every licence in force gets its sealed package 有效证照逐一封装签章")
        labels = {
            "packages": "package files sealed 已签章文件",
            "changes": "changes at the subscriber 订阅方已收",
        }
        with self.screen.bars(labels) as bars:
            for _ in self._looks():
                counts = self._counts(self.decided)
                bars.show({name: counts[name] for name in labels})
                if all(done == of and of for done, of in bars.counts.values()):
                    break
        wanted = (
            sum(one.expected.outcome == "new" for one in self.judged) + 1
        )  # and the one accepted at the door
        with Library(self.stage) as library:
            sealed = library.count_shared()
        self.add(
            "library",
            "valid and sealed 有效且已签章",
            f"{wanted} licences may be shared",
            f"{sealed} licences may be shared",
        )

    def waits(self, holds: Callable[[], Any]) -> bool:
        """Whether something comes to hold before patience ends."""
        return any(holds() for _ in self._looks())

    def _looks(self) -> Iterator[None]:
        """Looks again and again until patience ends; raises ``DidNotStart`` when the hub has ended meanwhile."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if not self.serving.is_alive():
                raise DidNotStart(f"the hub has ended by itself 枢纽意外退出; see {self.stage.log}")
            yield
            time.sleep(LOOK_EVERY_S)


def _ended(future: "Future[Any]") -> bool:
    """Whether the client has ended; a failure of it shows at once."""
    if future.done():
        future.result()
    return future.done()


def _receipts(wave: Wave) -> int:
    """Rows of the wave that get a receipt."""
    return sum(row.expected.outcome != REFUSED for row in wave.rows)


def _unsent(random: Random, today: date, sizes: Sizes) -> tuple[Facts, Facts]:
    """Two sound licences that no wave sends."""
    several = licences(TRANSPORT, sizes.road + 2, random, today)
    return several[-2], several[-1]
