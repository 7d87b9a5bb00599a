"""What was measured, as tables for the terminal or, in Markdown, for the README."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median

import psutil
from rich.box import MARKDOWN, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tests.bench.protocol import Result

Rows = Sequence[Sequence[str]]


class Page:
    """Prints headings, sentences and tables, plain or as Markdown."""

    def __init__(self, markdown: bool) -> None:
        self._markdown = markdown
        self._console = Console(width=400 if markdown else 170, highlight=False, markup=False, soft_wrap=markdown)

    def say(self, text: str) -> None:
        """A paragraph."""
        self._console.print(text.rstrip() + "\n")

    def table(self, heads: Sequence[str], rows: Rows) -> None:
        """A table whose first column is text and whose others are numbers."""
        table = Table(box=MARKDOWN if self._markdown else SIMPLE_HEAD, show_edge=self._markdown)
        for number, head in enumerate(heads):
            table.add_column(head, justify="right" if number else "left", no_wrap=self._markdown)
        for row in rows:
            table.add_row(*row)
        with self._console.capture() as captured:
            self._console.print(table)
        lines = [line.rstrip() for line in captured.get().splitlines()]
        print("\n".join(line for line in lines if line), end="\n\n")


def machine() -> str:
    """The date, the machine and the versions that matter, in one line."""
    cores = psutil.cpu_count(logical=False) or os.cpu_count()
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{date.today().isoformat()}, {_processor()}, {cores} cores ({os.cpu_count()} threads), {memory:.0f} GiB, "
        f"Python {platform.python_version()}, torch {version('torch')}"
    )


def load() -> str | None:
    """A warning where other work keeps the machine busy."""
    busy = os.getloadavg()[0]
    return f"Other work runs on this machine (load {busy:.1f}): the times are too long." if busy > 0.5 else None


def contestants(page: Page, labels: Mapping[str, str], results: Mapping[str, Result], reference: str) -> None:
    """The main table: seconds, ratios to jsonbreak, and whether all decoded the same."""
    mine = results["jsonbreak"].median("both") if "jsonbreak" in results else None
    rows = []
    for name, result in results.items():
        both = result.median("both")
        ratio = f"{both / mine:.1f}×" if both and mine else "–"
        times = (result.median("free"), result.median("constrained"), both)
        waits = (result.median("first"), result.ready)
        guards = (_equal(result, results.get(reference)), _valid(result.constrained))
        seconds = [*map(_seconds, times), ratio, *map(_seconds, waits)]
        rows.append([labels[name], *seconds, _gigabytes(result.peak), *guards])
    heads = ["", "free s", "constrained s", "both s", "ratio", "first text s", "to start s", "peak GB"]
    page.table([*heads, "free replies equal", "constrained valid JSON"], rows)
    page.say(
        "Medians of the runs; ratio: to jsonbreak's both arms. first text: until anything can be shown. to start: from "
        "the start of the process to the first timed run, with loading, compiling and warming up. free replies equal: "
        f"to those of “{labels[reference]}”, of the same prompts."
    )
    for name, result in results.items():
        times_of_runs = ", ".join(_seconds(run.both) for run in result.runs)
        page.say(f"{labels[name]} ({result.versions}): runs of {times_of_runs} s. {' '.join(result.remarks)}")


def growth(page: Page, head: str, results: Mapping[str, Result], jobs: Mapping[str, int]) -> None:
    """How jsonbreak's time grows with the work."""
    rows = []
    for name, result in results.items():
        both = result.median("both") or 0.0
        cells = (_seconds(both), f"{jobs[name] / both:.1f}", _seconds(result.median("first")), _gigabytes(result.peak))
        rows.append([name, str(result.more["prompt_tokens"]), *cells])
    page.table([head, "prompt tokens (median)", "both s", "jobs a second", "first text s", "peak GB"], rows)


def shares(page: Page, result: Result) -> None:
    """The profile of the decoder."""
    whole = result.more["whole"]
    rows = [[part, f"{seconds:.2f}", f"{seconds / whole:.1%}"] for part, seconds in result.more["parts"].items()]
    page.table(["where jsonbreak's time goes", "s", "share"], rows)


def alone(page: Page, result: Result) -> None:
    """Both arms against one, for single jobs."""
    page.say(f"One job at a time, few-shot prompt. {' '.join(result.remarks)}")
    jobs = result.more["jobs"]
    if not jobs:
        return
    rows = [
        [job["id"], str(job["tokens"]), f"{job['both']:.3f}", f"{job['free']:.3f}", f"{job['both'] / job['free']:.3f}×"]
        for job in jobs
    ]
    rows.append(["median", "", "", "", f"{median(job['both'] / job['free'] for job in jobs):.3f}×"])
    page.table(["one job whose arms agree", "tokens", "both arms s", "free arm alone s", "ratio"], rows)


def gpu(page: Page, result: Result) -> None:
    """Steps against the memory's limit, and many jobs against the loop."""
    for remark in result.remarks:
        page.say(f"GPU: {remark}")
    if not (more := result.more):
        return
    least = more["bytes"] / more["bandwidth"]
    page.say(
        f"{more['device']}, random weights in the shape of {more['shape']}: {more['bytes'] / 1e9:.1f} GB read a step, "
        f"{more['bandwidth'] / 1e9:.0f} GB/s measured, peak {more['memory'] / 1e9:.1f} GB."
    )
    rows = [[str(n), f"{1e3 * s:.1f}", f"{1e3 * least:.1f}", f"{s / least:.2f}×"] for n, s in more["steps"].items()]
    page.table(["rows", "step ms", "weight bytes ÷ bandwidth ms", "ratio"], rows)
    mine, other = more["seconds"] / more["jobs"], more["alternative_seconds"] / more["alternative_jobs"]
    page.say(
        f"{more['jobs']} jobs, both arms: {more['seconds']:.1f} s, {mine:.3f} s a job. model.generate, then Outlines: "
        f"{other:.2f} s a job, measured on {more['alternative_jobs']} jobs. Ratio a job: {other / mine:.0f}×."
    )


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2f}" if seconds < 10 else f"{seconds:.1f}"


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.2f}"


def _equal(result: Result, reference: Result | None) -> str:
    if reference is None:
        return "–"
    same = sum(mine == theirs for mine, theirs in zip(result.free, reference.free, strict=True))
    return f"{same} of {len(result.free)}"


def _valid(replies: Sequence[str]) -> str:
    return f"{sum(map(_is_json, replies))} of {len(replies)}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse)
    except ValueError:
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
