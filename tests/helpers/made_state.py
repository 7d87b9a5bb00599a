"""A random state of a run, with every kind of job that filters and counts distinguish."""

from __future__ import annotations

import random
from pathlib import Path

from engine.protocol.events import JobInfo
from engine.runs.job_facts import JobFacts, ReplyFacts, reply_facts
from tui.state.run import RunState

OK = reply_facts(True, True, True, True, ("ok",))
PROSE = reply_facts(False, True, True, True, ("prose_before",))
FENCE = reply_facts(False, True, True, False, ("code_fence", "wrong_value"))
WRONG = reply_facts(True, True, True, False, ("wrong_value",))
UNASKED = reply_facts(True, True, True, None, ("ok",))
REPLIES: tuple[ReplyFacts | None, ...] = (OK, OK, PROSE, FENCE, WRONG, UNASKED, None)


def infos(cases: int) -> list[JobInfo]:
    """Two prompts, two variations, three tags."""
    return [
        JobInfo(f"s/{prompt}/c{case}~{variation}#0", prompt, f"c{case}", variation, 0, f"Input {case}", None, tags)
        for case in range(cases)
        for variation in (None, "typos")
        for prompt in ("naive", "json-only")
        for tags in [((), ("plain",), ("plain", "hard"))[case % 3]]
    ]


def facts(rng: random.Random) -> JobFacts:
    """Random verdicts."""
    return JobFacts(rng.choice(REPLIES), rng.choice(REPLIES), rng.choice([True, False, None]))


def made_state(cases: int = 12, seed: int = 0) -> RunState:
    """A run with two thirds of the jobs finished, one cancelled, one case excluded, and trials."""
    rng = random.Random(seed)
    state = RunState(Path("people.toml"))
    state.add_jobs(infos(cases))
    trials = [JobInfo("s/edited/c1#0", "edited", "c1", None, 0, "Input 1", None)]
    trials.append(JobInfo("s/naive/c1#7", "naive", "c1", None, 7, "Input 1", None))
    state.add_jobs(trials, trial=True)
    for number in range(len(state.jobs)):
        if number % 3 or state.jobs[number].trial:
            state.finish(number, facts(rng))
    state.jobs[0].cancelled = True
    state.exclude("c2")
    return state
