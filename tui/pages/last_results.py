"""The result of a suite's last run, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.cells import cell_len

from engine.records import ARMS
from tui.state.adapters import with_adapter
from tui.text.safe import one_line, shorten

if TYPE_CHECKING:
    from engine.runs.listing import ListedRun
    from engine.statistics import Share


def format_last_result(run: ListedRun | None, cells: int) -> str:
    """`strict 36/80 80/80, 2 h ago`: the free and the constrained replies. What does not fit the cells is left out.

    run: None for a suite that has not been run.
    """
    if run is None or run.rates is None:
        return shorten("not run yet", cells)
    shares = " ".join(_share(run.rates[arm].strict) for arm in ARMS)
    choices = (f"strict {shares}, {_ago(run)}", f"strict {shares}", shares)
    return next((words for words in choices if cell_len(words) <= cells), shorten(shares, cells))


def describe_last_run(run: ListedRun) -> str:
    """`last run 2 h ago on smol: strict 36/80 [34-57] free, 80/80 [95-100] constrained`."""
    from tui.state.intervals import format_interval, interval

    assert run.rates is not None
    assert run.design_effects is not None
    words = []
    for arm in ARMS:
        share = run.rates[arm].strict
        percent = format_interval(interval(share, run.design_effects[arm]))
        words.append(" ".join(word for word in (_share(share), percent, arm) if word))
    stopped = "" if run.ending.value == "finished" else f" ({run.ending.value})"
    model = f" on {one_line(with_adapter(run.model, run.adapter))}" if run.model else ""
    return f"last run {_ago(run)}{stopped}{model}: strict {', '.join(words)}"


def _share(share: Share) -> str:
    return f"{share.k}/{share.n}" if share.n else "-"


def _ago(run: ListedRun) -> str:
    return ago(run.started, datetime.now(UTC))


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago a moment was: "5 min ago", "2 h ago", "3 d ago". A time in the future is "just now"."""
    if moment is None:
        return "some time ago"
    passed = now - (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if passed < timedelta(minutes=1):
        return "just now"
    if passed < timedelta(hours=1):
        return f"{passed // timedelta(minutes=1)} min ago"
    if passed < timedelta(days=2):
        return f"{passed // timedelta(hours=1)} h ago"
    return f"{passed // timedelta(days=1)} d ago"
