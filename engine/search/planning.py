"""Plans a search from a suite and a budget: its candidates, cases and rounds. Nothing is decoded here."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import BadInputError
from engine.search.compose import candidates_of
from engine.search.halving import Schedule, schedule_for
from engine.search.splits import LEAST_CHOOSING, LEAST_HELD_OUT, split
from engine.suites.jobs import Job, jobs_of
from engine.suites.suite import Suite
from engine.suites.tables import Prompt, Variations
from engine.text import short_json

LEAST_BUDGET = 2 * (LEAST_HELD_OUT + LEAST_CHOOSING)
_FINAL_SHARE = 1 / 6  # of the budget, for each of the two prompts that are tested on held-out cases


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """A search before it starts. No case is both in `choosing` and in `held_out`."""

    suite: Suite
    """The candidates as its prompts; no variations, no repeats."""
    budget: int
    candidates: tuple[Prompt, ...]
    """As many as the budget allows; the first is the baseline, the suite's first prompt."""
    choosing: tuple[str, ...]
    """The ids of the cases that the winner is chosen by, in the order in which they are used."""
    held_out: tuple[str, ...]
    """The ids of the cases that the winner is tested on."""
    schedule: Schedule

    @property
    def baseline(self) -> str:
        """The name of the prompt that the winner is compared with."""
        return self.candidates[0].name

    @property
    def jobs(self) -> int:
        """The most jobs the search takes; fewer if the baseline itself wins. At most the budget."""
        return self.schedule.jobs + 2 * len(self.held_out)

    def jobs_for(self, prompts: list[str], cases: list[str]) -> list[Job]:
        """The jobs of these candidates on these cases."""
        return jobs_of(self.suite, prompts, cases)


def plan_search(suite: Suite, budget: int) -> SearchPlan:
    """Plan a search. Raises BadInputError if the budget is too small or the suite lacks cases, a task or a schema."""
    _refuse(suite, budget)
    seed = suite.generation.seed
    try:
        choosing, held_out = split((case.id for case in suite.cases), seed)
    except ValueError as error:
        least = LEAST_HELD_OUT + LEAST_CHOOSING
        raise BadInputError(f"{suite.path}: {error}; a search needs a suite of at least {least} cases") from None
    final = min(len(held_out), max(LEAST_HELD_OUT, int(budget * _FINAL_SHARE)))
    possible = candidates_of(suite)
    schedule = schedule_for(budget - 2 * final, len(possible), len(choosing))
    candidates = tuple(possible[: schedule.candidates])
    once = suite.generation.model_copy(update={"repeats": 1})
    arena = suite.model_copy(update={"prompts": candidates, "generation": once, "variations": Variations()})
    return SearchPlan(arena, budget, candidates, tuple(choosing), tuple(held_out[:final]), schedule)


def _refuse(suite: Suite, budget: int) -> None:
    if budget < LEAST_BUDGET:
        raise BadInputError(f"A search needs a budget of at least {LEAST_BUDGET} jobs, not {budget}; raise --budget.")
    if suite.task is None:
        remedy = 'add task = "…" at the top of the file, saying what is to be done'
        raise BadInputError(f"{suite.path}: a search composes techniques, which need the suite's task; {remedy}")
    if suite.json_schema is None:
        remedy = "give the suite a [schema]"
        raise BadInputError(f"{suite.path}: a search holds all prompts to one schema, and each has its own; {remedy}")


def left_out(suite: Suite) -> tuple[str, ...]:
    """A sentence that names the suite's prompts that are not candidates; nothing if all are."""
    names = [prompt.name for prompt in suite.prompts if suite.schema_of(prompt) != suite.json_schema]
    if not names:
        return ()
    return (f"Not compared, because they have a schema of their own: {', '.join(map(short_json, names))}.",)
