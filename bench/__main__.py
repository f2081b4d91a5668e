"""``python -m bench``: measures, prints, and keeps the results in ``bench/results/``."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))  # the servers of the tests

from bench import imports, material, packages, results
from bench.hub import HubUnderTest
from bench.intake import Load, Shape
from bench.peer.system import PeerUnderTest
from bench.processes import Processes
from bench.servers import Servers, own_servers

GROUPS = ("production", "peer", "embedded", "import", "package", "large", "volume")
USUAL = GROUPS[:5]


def main(arguments: list[str]) -> int:
    """Runs the groups that were asked for."""
    options = _options(arguments)
    print(f"load before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="licence-hub-bench-") as place:
        folder = Path(place)
        if {"production", "peer", "package", "volume"} & set(options.groups):
            with own_servers() as servers:
                _on_servers(options, folder, servers)
        if "package" in options.groups:
            _package_row(options, folder / "package-embedded", None, "embedded", 1)
        if "embedded" in options.groups:
            _hub_rows(options, folder / "embedded", None, "embedded")
        _file_rows(options, folder)
    print(f"kept in {results.TABLE}")
    return 0


def _on_servers(options: argparse.Namespace, folder: Path, servers: Servers) -> None:
    if "production" in options.groups:
        _hub_rows(options, folder / "production", servers, "production")
    if "package" in options.groups:
        for packagers in (1, 2):
            _package_row(options, folder / "package-production", servers, "production", packagers)
    if "volume" in options.groups:
        _volume_row(options, folder / "volume", servers)
    if "peer" in options.groups:
        log = folder / "peer.log"
        with closing(PeerUnderTest(servers)) as peer, _telling(log), Processes(log) as processes:
            load = Load(peer, peer.start(processes))
            for shape in _shapes("hmac", options.peer_records, options.peer_records):
                _row(options, "peer", load, shape)


def _hub_rows(options: argparse.Namespace, folder: Path, servers: Servers | None, stack: str) -> None:
    log = folder.with_suffix(".log")
    with closing(HubUnderTest(folder, servers)) as hub, _telling(log), Processes(log) as processes:
        load = Load(hub, hub.start(processes))
        for credential in options.credentials:
            for shape in _shapes(credential, options.singles, options.batched):
                _row(options, stack, load, shape)


def _package_row(
    options: argparse.Namespace, folder: Path, servers: Servers | None, stack: str, packagers: int
) -> None:
    """Complete packages by way of the bus; every run has a hub of its own."""
    runs = []
    for number in range(options.repeat):
        place = folder.with_name(f"{folder.name}-{packagers}-{number}")
        log = place.with_suffix(".log")
        with (
            closing(HubUnderTest(place, servers, material.PACKAGED)) as hub,
            _telling(log),
            Processes(log) as processes,
        ):
            runs.append(packages.drained(hub, processes, options.packages, packagers))
    _keep(f"{stack}, complete packages, packagers: {packagers}", results.median(runs))


def _volume_row(options: argparse.Namespace, folder: Path, servers: Servers) -> None:
    """The same load into a store that holds little, and into the same when it holds much."""
    log = folder.with_suffix(".log")
    with closing(HubUnderTest(folder, servers)) as hub, _telling(log), Processes(log) as processes:
        load = Load(hub, hub.start(processes))
        shape = Shape("batch of 100", 100, 8, options.batched)
        rows = {}
        for held in (imports.SMALL, options.volume):
            load.fill(shape, held)
            rows[held] = results.median([load.run(shape) for _ in range(options.repeat)])
            _keep(f"production with {held} stored, {shape.label}, {shape.credential}", rows[held])
        little, much = (row["records_per_s"] for row in rows.values())
        _keep(
            f"production, records/s with {imports.SMALL} and with {options.volume} stored",
            {f"at {imports.SMALL}": little, f"at {options.volume}": much, "ratio": round(much / little, 2)},
        )


@contextmanager
def _telling(log: Path) -> Iterator[None]:
    """Shows the end of the log when something goes wrong: the folder does not outlive the run."""
    try:
        yield
    except Exception:
        print(log.read_text(errors="replace")[-3000:] if log.exists() else "no log")
        raise


def _shapes(credential: str, singles: int, batched: int) -> list[Shape]:
    return [
        Shape("single", 1, 64, singles, credential),
        Shape("batch of 100", 100, 8, batched, credential),
    ]


def _row(options: argparse.Namespace, stack: str, load: Load, shape: Shape) -> None:
    load.warm_up(shape)
    runs = [load.run(shape) for _ in range(options.repeat)]
    _keep(f"{stack}, {shape.label}, {shape.credential}", results.median(runs))


def _file_rows(options: argparse.Namespace, folder: Path) -> None:
    def run(group: str, name: str, work: Callable[[Path], dict[str, Any]], repeat: int = 1) -> None:
        if group in options.groups:
            places = [folder / f"{group}-{number}" for number in range(repeat)]
            for place in places:
                place.mkdir()
            _keep(name, results.median([work(place) for place in places]))

    run(
        "import",
        "embedded, CSV import",
        lambda at: imports.import_csv(at, rows=options.rows),
        options.repeat,
    )
    size = options.large_mb * 1_000_000
    run("large", "embedded, large CSV", lambda at: imports.import_csv(at, size_bytes=size))
    run(
        "volume",
        f"embedded, records/s with {imports.SMALL} and with {options.volume} stored",
        lambda at: imports.at_volume(at, options.volume, 50_000),
    )


def _keep(name: str, row: dict[str, Any]) -> None:
    print(name, row, flush=True)
    results.keep(name, row)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks of the hub.")
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; default: {USUAL}"
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of a row; its median is kept")
    parser.add_argument("--credentials", nargs="+", default=["hmac", "bearer"])
    parser.add_argument("--singles", type=int, default=8000, help="records of a run of single posts")
    parser.add_argument("--batched", type=int, default=20_000, help="records of a run of 100-record posts")
    parser.add_argument("--peer-records", type=int, default=2000, help="records of a run of the peer")
    parser.add_argument("--packages", type=int, default=3000, help="packages of a run")
    parser.add_argument("--rows", type=int, default=50_000, help="rows of the CSV import")
    parser.add_argument("--large-mb", type=int, default=1000, help="size of the large CSV")
    parser.add_argument("--volume", type=int, default=1_000_000, help="records stored for the second rate")
    options = parser.parse_args(arguments)
    options.groups = options.groups or list(USUAL)
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if options.volume < 10 * imports.SMALL:
        parser.error(f"--volume is at least {10 * imports.SMALL}")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
