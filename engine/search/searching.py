"""Runs a search: candidates, rounds of halving, held-out cases, findings; written to disk and emitted as events."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.backends import Backend
from engine.errors import BadInputError, EngineError
from engine.protocol.commands import StartSearch
from engine.protocol.events import Event, Found, Leaderboard, SearchFinished, SearchStarted
from engine.records import Record
from engine.running.control import Control
from engine.running.describe import describe, now
from engine.running.streaming import Meter
from engine.runs.store import SEARCH, RunStore, create_run, prepare
from engine.search.findings import findings, is_ok, standing
from engine.search.free_arm import FreeArm
from engine.search.halving import Halving, Score
from engine.search.planning import SearchPlan, left_out, plan_search
from engine.suites.suite import load_suite

Emit = Callable[[Event], None]
_BOARD_EVERY = 0.25  # seconds


def search(
    command: StartSearch,
    control: Control,
    ready: Callable[[], Backend[Any]],
    out: Path,
    emit: Emit,
    log: Path | None = None,
) -> None:
    """Search to the end, or until `control` stops it. ready: returns the loaded model. log: as in Session.

    Raises BadInputError (suite, budget, model, output folder) and EngineError (memory, disk).
    """
    suite = load_suite(command.suite)
    plan = plan_search(suite, command.budget)
    prepare(out)
    backend = ready()
    if backend.search_unavailable_reason is not None:
        raise BadInputError(backend.search_unavailable_reason)
    if control.stopped.is_set():
        raise EngineError("The search was stopped before its first job.")
    store = create_run(out, f"search-{suite.name}", backend.name, _manifest(plan, backend), SEARCH, log)
    emit(_started(plan, store.folder, backend.name, left_out(suite)))
    meter = Meter(plan.jobs, emit)
    arm = FreeArm(backend, plan.suite, command.batch, store, meter, control, emit)
    result: Found | None = None
    try:
        result = _Search(plan, arm, store, meter, emit).find()
    finally:
        found = asdict(result) if result else None
        store.close(found=found, ended=now(), done=meter.done, stopped=result is None)
    emit(SearchFinished(store.folder, meter.done, result is None, meter.seconds, result))


class _Search:
    """A search in progress."""

    def __init__(self, plan: SearchPlan, arm: FreeArm, store: RunStore, meter: Meter, emit: Emit) -> None:
        self._plan, self._arm, self._store, self._meter, self._emit = plan, arm, store, meter, emit
        names = [prompt.name for prompt in plan.candidates]
        self._halving = Halving(names, plan.choosing, plan.schedule)
        self._shown = 0.0

    def find(self) -> Found | None:
        """The winner and its result on the held-out cases; None if the search was stopped."""
        rounds: list[dict[str, Any]] = []
        while self._halving.winner is None:
            names, _ = self._halving.wanted
            if not self._play():
                return None
            self._halving.close()
            rounds.append(self._round(names))
            self._store.note(rounds=rounds)
        return self._test(self._halving.winner)

    def _play(self) -> bool:
        """Have every candidate of the round answer its new cases. False if the search was stopped."""
        jobs = self._plan.jobs_for(*self._halving.wanted)
        left = len(jobs)
        self._show()
        for record, tokens in self._arm.answers(jobs):
            left -= 1
            self._halving.add(record.prompt, is_ok(record), tokens)
            if time.monotonic() - self._shown >= _BOARD_EVERY:
                self._show()
        self._show()
        return left == 0

    def _test(self, winner: str) -> Found | None:
        """Have the winner and the baseline answer the held-out cases. None if the search was stopped."""
        self._show()
        baseline = self._plan.baseline
        names = list(dict.fromkeys((winner, baseline)))
        jobs = self._plan.jobs_for(names, list(self._plan.held_out))
        self._meter.total = self._meter.done + len(jobs)
        answers: dict[str, dict[str, Record]] = {name: {} for name in names}
        for record, _ in self._arm.answers(jobs):
            answers[record.prompt][record.case] = record
        if sum(map(len, answers.values())) < len(jobs):
            return None
        (prompt,) = (each for each in self._plan.candidates if each.name == winner)
        baseline_answers = None if winner == baseline else answers[baseline]
        return findings(prompt, answers[winner], baseline, baseline_answers, self._halving.scores[winner].ok)

    def _show(self) -> None:
        self._shown = time.monotonic()
        winner = self._halving.winner
        ranked = tuple(standing(score, winner) for score in self._halving.ranked())
        self._emit(Leaderboard(self._halving.round if winner is None else None, ranked))

    def _round(self, names: Sequence[str]) -> dict[str, Any]:
        """The round just closed, for the manifest."""
        winner = self._halving.winner
        played = [score for score in self._halving.ranked() if score.name in names]
        cases = self._plan.choosing[: played[0].ok.n]
        return {"cases": cases, "standings": [_facts(score, winner) for score in played]}


def _facts(score: Score, winner: str | None) -> dict[str, Any]:
    facts = asdict(standing(score, winner)) | {"prompt_tokens": round(score.tokens / score.ok.n, 1)}
    del facts["round"]  # the next one, if the candidate was kept
    return facts


def _manifest(plan: SearchPlan, backend: Backend[Any]) -> dict[str, Any]:
    """The manifest at the start; rounds, findings and the end are added as they come."""
    return describe(plan.suite, backend, plan.jobs) | {
        "budget": plan.budget,
        "candidates": [prompt.model_dump(mode="json", exclude={"json_schema"}) for prompt in plan.candidates],
        "yardstick": plan.baseline,
        "choosing": plan.choosing,
        "held_out": plan.held_out,
        "rounds": [],
    }


def _started(plan: SearchPlan, folder: Path, model: str, remarks: tuple[str, ...]) -> SearchStarted:
    return SearchStarted(
        folder=folder,
        suite=plan.suite.name,
        model=model,
        candidates=len(plan.candidates),
        rounds=plan.schedule.cases,
        jobs=plan.jobs,
        held_out=len(plan.held_out),
        yardstick=plan.baseline,
        remarks=remarks,
    )
