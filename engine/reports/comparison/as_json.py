"""A comparison as JSON for other tools. Keys are stable; new ones may be added."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.comparing.comparison import ComparedRun, Comparison, adapter_name
from engine.comparing.counting import ArmResults, Change
from engine.comparing.outcomes import OUTCOMES, Outcome
from engine.comparing.results import Result
from engine.records import Arm
from engine.statistics import Share, wilson_interval

FORMAT = "jsonbreak-compare-1"


def write_json(comparison: Comparison) -> Iterator[str]:
    """One object, in parts, in ASCII: no text can act on a terminal."""
    yield from json.JSONEncoder(indent=1).iterencode(_comparison(comparison))
    yield "\n"


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "cases": None if comparison.cases is None else sorted(comparison.cases),
        "baseline": _identity(comparison.baseline) | {"rates": list(_rates(comparison.baseline))},
        "runs": [_compared(compared) for compared in comparison.runs],
    }


def _identity(compared: ComparedRun) -> dict[str, Any]:
    manifest = compared.run.manifest
    return {
        "folder": str(compared.run.folder),
        "label": compared.label,
        "suite": manifest.suite,
        "model": manifest.model,
        "adapter": adapter_name(compared.run),
        "started": manifest.started,
        "remarks": list(compared.remarks),
    }


def _compared(compared: ComparedRun) -> dict[str, Any]:
    return _identity(compared) | {
        "asked_differs": list(compared.differences.asked),
        "answered_differs": list(compared.differences.answered),
        "pairs": compared.pairs,
        "only_in_baseline": compared.only_in_baseline,
        "only_in_run": compared.only_in_run,
        "reworded": compared.reworded,
        "regressions": [{"arm": each.arm, "prompt": each.prompt} for each in compared.regressions],
        "results": list(_results(compared)),
        "variations": [
            {"arm": arm, "variation": name, **_result(result)}
            for arm, results in compared.arms.items()
            for name, result in results.variations.items()
        ],
        "classes": [
            {"arm": arm, "before": before, "after": after, "pairs": count}
            for arm, results in compared.arms.items()
            for (before, after), count in sorted(results.classes.items())
        ],
        "undecoded": {arm: dict(results.undecoded) for arm, results in compared.arms.items()},
        "fixed": list(_changes(compared.arms, "fixed")),
        "regressed": list(_changes(compared.arms, "regressed")),
    }


def _outcomes(results: ArmResults) -> Iterator[tuple[str | None, Outcome, Result]]:
    """Over all prompts (None), then by prompt."""
    prompts: Iterable[tuple[str | None, Mapping[Outcome, Result]]] = [(None, results.overall), *results.prompts.items()]
    for prompt, outcomes in prompts:
        for outcome in OUTCOMES:
            yield prompt, outcome, outcomes[outcome]


def _rates(compared: ComparedRun) -> Iterator[dict[str, Any]]:
    for arm, results in compared.arms.items():
        for prompt, outcome, result in _outcomes(results):
            yield {"arm": arm, "prompt": prompt, "outcome": outcome, **_share(result.run, result)}


def _results(compared: ComparedRun) -> Iterator[dict[str, Any]]:
    for arm, results in compared.arms.items():
        for prompt, outcome, result in _outcomes(results):
            yield {"arm": arm, "prompt": prompt, "outcome": outcome, **_result(result)}


def _result(result: Result) -> dict[str, Any]:
    return {
        "pairs": result.n,
        "baseline": _share(result.baseline, result),
        "run": _share(result.run, result),
        "difference": result.difference,
        "interval": result.interval,
        "p": result.p,
        "cases_better": result.better,
        "cases_worse": result.worse,
        "fixed": result.fixed,
        "regressed": result.regressed,
        "conclusion": result.conclusion,
    }


def _share(share: Share, result: Result) -> dict[str, Any]:
    interval = wilson_interval(share, result.design_effect) if share.n else None
    return {"k": share.k, "n": share.n, "interval": interval}


def _changes(arms: Mapping[Arm, ArmResults], kind: str) -> Iterator[dict[str, Any]]:
    for arm, results in arms.items():
        changes: tuple[Change, ...] = getattr(results, kind)
        for change in changes:
            job = change.job
            yield {
                "job": job.id,
                "arm": arm,
                "prompt": job.prompt,
                "case": job.case,
                "variation": job.variation,
                "repeat": job.repeat,
                "before": change.before,
                "after": change.after,
            }
