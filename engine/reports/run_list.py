"""`jsonbreak runs`: the list of runs, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.records import ARMS, Arm
from engine.runs.listing import ListedRun
from engine.runs.rates import ArmRates
from engine.statistics import Share, wilson_interval
from engine.text import printable

SHARES = {"strict": "strict JSON", "schema": "schema-valid", "right": "right values"}
"""The rates that are shown, with their names."""

_MARGIN, _LABEL, _CELL = 4, 13, 21  # cells; four columns are 80 wide


def as_text(runs: Iterable[ListedRun]) -> Iterator[str]:
    """A headline, and a few lines for each run: its name, state, suite and model, and the rates of both arms."""
    yield _line("", *SHARES.values())
    for run in runs:
        yield printable(run.folder.name)
        yield _line(run.ending.value, _format_jobs(run) + _describe(run))
        if run.problem:
            yield _line("", printable(run.problem))
        elif run.rates is None or run.design_effects is None:
            yield _line("", "no rates: they are written when a run ends")
        else:
            for arm in ARMS:
                rates, effect = run.rates[arm], run.design_effects[arm]
                yield _line(arm, *(_cell(getattr(rates, name), effect) for name in SHARES))


def as_data(run: ListedRun) -> dict[str, Any]:
    """One run for JSON; None is what the manifest does not say."""
    return {
        "name": run.folder.name,
        "folder": str(run.folder),
        "state": run.ending.value,
        "suite": run.suite,
        "model": run.model,
        "adapter": run.adapter,
        "started": run.started.isoformat() if run.started is not None else None,
        "done": run.done,
        "total": run.total,
        "rates": rates_data(run.rates, run.design_effects) if run.rates and run.design_effects else None,
        "trial_of": run.trial_of,
        "problem": run.problem,
    }


def rates_data(rates: Mapping[Arm, ArmRates], design_effects: Mapping[Arm, float]) -> dict[str, Any]:
    """By arm: k and n of each share with its 95 % interval, and how many replies were not decoded."""
    return {
        arm: {name: _share_data(getattr(rates[arm], name), design_effects[arm]) for name in ("unwrapped", *SHARES)}
        | {"errors": rates[arm].errors}
        for arm in ARMS
    }


def _share_data(share: Share, design_effect: float) -> dict[str, Any]:
    interval = wilson_interval(share, design_effect) if share.n else None
    return {"k": share.k, "n": share.n, "interval": interval}


def _line(label: str, *cells: str) -> str:
    columns = (" " * (_MARGIN - 1), label.ljust(_LABEL - 1), *(cell.ljust(_CELL - 1) for cell in cells))
    return " ".join(columns).rstrip()


def _cell(share: Share, design_effect: float) -> str:
    """`31% of 64 (21–43%)`."""
    if not share.n:
        return "-"
    low, high = wilson_interval(share, design_effect)
    return f"{_percent(share)} of {share.n:,} ({100 * low:.0f}–{high:.0%})"


def _percent(share: Share) -> str:
    """100% is all and 0% is none, never a rounded share."""
    percent = f"{share.k / share.n:.0%}"
    if percent == "100%" and share.k < share.n:
        return ">99%"
    return "<1%" if percent == "0%" and share.k else percent


def _format_jobs(run: ListedRun) -> str:
    if run.done is None and run.total is None:
        return ""
    done, total = ("?" if number is None else f"{number:,}" for number in (run.done, run.total))
    return f"{done} of {total} jobs: "


def _describe(run: ListedRun) -> str:
    adapter = f" with the adapter {printable(run.adapter)}" if run.adapter is not None else ""
    trial = f", a trial of {printable(run.trial_of)}" if run.trial_of is not None else ""
    return f"{printable(run.suite or '?')} on {printable(run.model or '?')}{adapter}{trial}"
