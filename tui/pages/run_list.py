"""A run as a row of the list of runs, and in full below it. Names that others chose come last, so that no glyph in them
can move a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len

from engine.records import ARMS, Arm
from engine.runs.listing import Ending, ListedRun
from engine.runs.rates import ArmRates
from engine.statistics import Share
from tui.state.adapters import with_adapter
from tui.state.intervals import format_interval, interval
from tui.text.safe import fit, one_line, shorten

WIDE = 100  # columns: from here on shares have a percentage, and times a year
_GAP = "  "
_MARKS = {Ending.FINISHED: "ok", Ending.STOPPED: "--", Ending.RUNNING: "..", Ending.INTERRUPTED: "!!"}
_ENDING_CELLS = 14  # "!! interrupted"
_NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Columns:
    """The widths of the columns, in cells."""

    wide: bool
    time: int
    jobs: int
    rates: dict[Arm, int]
    suite: int
    """As wide as the longest name, at most half of what the columns before leave."""
    model: int
    """What is left."""

    @classmethod
    def fitting(cls, width: int, runs: Sequence[ListedRun]) -> Columns:
        """The columns of a list that is `width` cells wide."""
        wide = width >= WIDE
        time = len("2026-01-01 10:00") if wide else len("01-01 10:00")
        jobs = max([len("JOBS"), *(len(format_jobs(run)) for run in runs)])
        rates = {arm: max([len(_heading(arm, wide)), *(len(_rate(run, arm, wide)) for run in runs)]) for arm in ARMS}
        room = width - 2 - time - _ENDING_CELLS - jobs - sum(rates.values()) - 6 * len(_GAP)
        suite = max(0, min(max([len("SUITE"), *(len(one_line(run.suite or "")) for run in runs)]), room // 2))
        return cls(wide, time, jobs, rates, suite, max(0, room - suite))


def header(columns: Columns) -> str:
    """The headings of the columns."""
    cells = ["TIME (UTC)".ljust(columns.time)[: columns.time], "STATE".ljust(_ENDING_CELLS), "JOBS".rjust(columns.jobs)]
    cells += [_heading(arm, columns.wide).rjust(columns.rates[arm]) for arm in ARMS]
    return "  " + _GAP.join([*cells, fit("SUITE", columns.suite), fit("MODEL", columns.model)])


def row(run: ListedRun, columns: Columns, baseline: bool) -> str:
    """A run on one line; `B` marks the baseline."""
    cells = [
        _time(run.started, columns.wide).ljust(columns.time),
        format_ending(run).ljust(_ENDING_CELLS),
        format_jobs(run).rjust(columns.jobs),
        *(_rate(run, arm, columns.wide).rjust(columns.rates[arm]) for arm in ARMS),
        fit(run.suite or run.folder.name, columns.suite),
        _model(run, columns.model),
    ]
    return ("B " if baseline else "  ") + _GAP.join(cells)


def details(run: ListedRun, baseline: bool, trials: int, width: int) -> str:
    """What does not fit into the row: the folder, the names in full, the rates with their intervals.

    trials: how many trials the run has. width: of a line, in cells.
    """
    words = [
        _end_of(one_line(str(run.folder)), width - 2),
        f"{one_line(run.suite or '?')} on {one_line(format_model(run))}",
    ]
    notes = ["the baseline"] * baseline
    notes += [f"{trials} trial{'s' * (trials > 1)}"] * bool(trials)
    notes += [f"a trial of {one_line(run.trial_of)}"] if run.trial_of else []
    notes += [one_line(run.problem)] if run.problem else []
    if notes:
        words[1] += f"  ({', '.join(notes)})"
    if run.rates is None or run.design_effects is None:
        return "\n".join([*words, "no rates: they are written when a run ends"])
    return "\n".join([*words, *(_in_full(arm, run.rates[arm], run.design_effects[arm], width >= WIDE) for arm in ARMS)])


def matches(run: ListedRun, needle: str) -> bool:
    """Whether what the list shows of a run contains a text in lower case."""
    texts = (_time(run.started, True), format_ending(run), run.suite or "", format_model(run), run.folder.name)
    return needle in " ".join(texts).casefold()


def format_ending(run: ListedRun) -> str:
    """The mark and the word for how a run ended: "ok finished"."""
    return "xx unreadable" if run.problem else f"{_MARKS[run.ending]} {run.ending.value}"


def format_jobs(run: ListedRun) -> str:
    """`40/100`: jobs done of all."""
    done, total = ("?" if number is None else str(number) for number in (run.done, run.total))
    return f"{done}/{total}"


def format_model(run: ListedRun) -> str:
    """The model, with its adapter if it has one."""
    return with_adapter(run.model or "?", run.adapter)


def _model(run: ListedRun, cells: int) -> str:
    """The model and its adapter. Runs to compare often have the same model, so its name is cut first."""
    adapter = one_line(run.adapter or "")
    room = cells - cell_len(with_adapter("", adapter))
    return fit(
        with_adapter(shorten(one_line(run.model or "?"), room), adapter) if room > 0 else format_model(run), cells
    )


def _heading(arm: Arm, wide: bool) -> str:
    return f"{arm} strict".upper() if wide else {"free": "FREE", "constrained": "CONSTR."}[arm]


def _rate(run: ListedRun, arm: Arm, wide: bool) -> str:
    if run.rates is None or not run.rates[arm].strict.n:
        return _NOTHING
    return _share(run.rates[arm].strict, wide)


def _share(share: Share, percent: bool) -> str:
    return f"{share.k}/{share.n}" + (f" {share.k / share.n:>4.0%}" if percent else "")


def _in_full(arm: Arm, rates: ArmRates, design_effect: float, wide: bool) -> str:
    """`free         strict 15/20 [53-89]  right 14/20 [48-85]`."""
    words = []
    for name in ("strict", "schema", "right") if wide else ("strict", "right"):
        share: Share = getattr(rates, name)
        percent = format_interval(interval(share, design_effect))
        words.append(f"{name} {_share(share, wide)} {percent}".rstrip() if share.n else f"{name} {_NOTHING}")
    return f"{arm:<11}  " + "  ".join(words)


def _end_of(text: str, cells: int) -> str:
    """As much of the end of a text as fits: the end is what distinguishes paths."""
    while cell_len(text) > cells:
        text = f"…{text[2:]}"
    return text


def _time(moment: datetime | None, wide: bool) -> str:
    return "?" if moment is None else moment.strftime("%Y-%m-%d %H:%M" if wide else "%m-%d %H:%M")
