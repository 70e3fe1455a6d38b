"""What was measured, when, with what and on what: the one format of all results."""

import json
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.spread import Spread, ratios, spread

PACKAGES: Final = (
    *("railhttp", "aiohttp", "yarl", "multidict", "returns", "msgspec", "uvloop"),
    *("pyreqwest", "pyqwest", "httpx", "httpx2", "niquests", "lexigram-http"),
    *("httpx-sse", "openai", "pydantic"),
    *("tenacity", "stamina", "purgatory", "nopanic", "interlock-cb"),
)


class Measurement(NamedTuple):
    """One number, and how it stands beside another one.

    Attributes:
        suite: Which benchmark it belongs to.
        setting: Under which conditions, such as `asyncio, 32 concurrent`.
        case: What was measured.
        quantity: Which of its properties, such as `CPU per request`.
        unit: The unit of `value`.
        value: The number, over all rounds.
        against: The case it is compared with; empty where there is none.
        ratio: `value` over that of `against`, round by round.
    """

    suite: str
    setting: str
    case: str
    quantity: str
    unit: str
    value: Spread
    against: str = ""
    ratio: Spread | None = None


@dataclass(frozen=True)
class Topic:
    """What a suite measures under one setting.

    Attributes:
        suite: See `Measurement`.
        setting: See `Measurement`.
        quantity: See `Measurement`.
        unit: See `Measurement`.
    """

    suite: str
    setting: str
    quantity: str
    unit: str

    def of(self, case: str, values: list[float]) -> Measurement:
        """Give a number that stands for itself."""
        return Measurement(self.suite, self.setting, case, self.quantity, self.unit, spread(values))

    def compared(self, series: Mapping[str, list[float]], case: str, against: str) -> Measurement:
        """Give a number beside another one of the same rounds."""
        return self.of(case, series[case])._replace(
            against=against, ratio=ratios(series[case], series[against])
        )


class Report(NamedTuple):
    """The results of a run.

    Attributes:
        date: The day, ISO 8601, in UTC.
        python: Python's version.
        machine: The kind of machine and how many cores it has.
        server: What answered the requests.
        packages: The versions of what was measured; nothing for what is not installed.
        measurements: The numbers.
    """

    date: str
    python: str
    machine: str
    server: str
    packages: dict[str, str]
    measurements: list[Measurement]


def report(server: str, measurements: Iterable[Measurement]) -> Report:
    """Put numbers together with the facts that they depend on: no host name, no path."""
    return Report(
        date=datetime.now(UTC).date().isoformat(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        server=server,
        packages=_versions(),
        measurements=list(measurements),
    )


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def save(result: Report, path: Path) -> None:
    """Write a report as JSON."""
    rows = [_row(one) for one in result.measurements]
    document = {**result._asdict(), "measurements": rows}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> Report:
    """Read a report that `save` wrote."""
    document = json.loads(path.read_text(encoding="utf-8"))
    document["measurements"] = [_measurement(row) for row in document["measurements"]]
    return Report(**document)


def _measurement(row: dict[str, Any]) -> Measurement:
    ratio = row.get("ratio")
    own = row | {"value": Spread(*row["value"]), "ratio": None if ratio is None else Spread(*ratio)}
    return Measurement(**own)


def renewed(earlier: Report, later: Report) -> Report:
    """Replace the suites of an earlier report by those of a later one.

    Ratios are of one run each, so they stay comparable; the packages must be the same.
    """
    if earlier.packages != later.packages:
        raise SystemExit("the packages have changed since the results were written: run all suites")
    suites = {one.suite for one in later.measurements}
    kept = [one for one in earlier.measurements if one.suite not in suites]
    return later._replace(measurements=[*kept, *later.measurements])


def _row(one: Measurement) -> dict[str, object]:
    row = one._asdict() | {"value": _rounded(one.value)}
    if one.ratio is not None:
        return row | {"ratio": _rounded(one.ratio)}
    del row["against"], row["ratio"]
    return row


def _rounded(numbers: Spread) -> list[float]:
    return [float(f"{number:.4g}") for number in numbers]
