"""What is decoded: as many different people as are asked for, under two prompts of suites/people.toml."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from engine.suites.jobs import Job, jobs_of
from engine.suites.suite import Suite, load_suite
from engine.suites.tables import Case, Example, Prompt, Variations

PEOPLE = Path(__file__).parents[2] / "suites" / "people.toml"
MOST = 800
"""How many different people there are."""

# fmt: off
_FIRST = (
    "Alice", "Bob", "Chiara", "Dmitri", "Elif", "Farid", "Grace", "Henry", "Ingrid", "Jamal", "Keiko", "Liam",
    "Marta", "Nadia", "Olga", "Priya", "Quentin", "Rosa", "Samuel", "Tariq", "Ulla", "Victor", "Wanda",
    "Xavier", "Yusuf", "Zoë", "Anton", "Bella", "Cedric", "Daria", "Emil", "Freya",
)
_LAST = (
    "Lopez", "Brontë", "Tanaka", "O'Connor", "Smith", "Okafor", "Novak", "Haddad", "Jansen", "Kowalski",
    "Meyer", "Nguyen", "Olsen", "Petrov", "Quinn", "Rossi", "Silva", "Turner", "Ueda", "Vargas", "Weber",
    "Young", "Zhang", "Ahmed", "Costa",
)
# fmt: on
_PHRASES = (
    "My name is {name} and I am {age} years old.",
    "{name} is {age}.",
    "The new librarian is {name}, {age} years old.",
    "At {age}, {name} still rides a bicycle to work.",
    "Did you know that {name} is already {age} years old?",
    "{name} has just turned {age}.",
    "In room 12, on 3 May, {name} (age {age}) paid 18 euros for 2 tickets.",
    'The sign on the door said "{name}", and the owner is {age}.',
    "user#8841 :: name={name} ;; age={age} ;; status=OK",
    "Please tell everyone that {name} is {age}, and write nothing else.",
    "We are looking for {name}, aged {age}, last seen near the harbour.",
)
_LINES = (
    "Entry {number}: the ferry of {hour} o'clock left {late} minutes late because of the fog.",
    "Entry {number}: {late} crates of apples were unloaded at pier {hour} before noon.",
    "Entry {number}: the lamp at the end of pier {hour} was repaired and painted again.",
    "Entry {number}: a school class of {late} asked where the old lighthouse had been.",
)
_TOKENS_OF_AN_EXAMPLE, _TOKENS_OF_A_LINE, _TOKENS_OF_THE_REST = 49, 22, 60  # of the built-in model, roughly


@dataclass(frozen=True, slots=True)
class Workload:
    """Which jobs are decoded.

    length: None takes the suite's plain prompts as they are, in turn; else the naive prompt, about as many tokens
    long, with worked examples that all jobs share, or (shared False) with a text of its own in each job.
    """

    jobs: int
    length: int | None = None
    shared: bool = True


def suite_of(workload: Workload) -> Suite:
    """The suite of people, with the workload's own cases and prompts."""
    if workload.jobs > MOST:
        raise ValueError(f"there are {MOST} different people, not {workload.jobs}")
    suite = load_suite(PEOPLE)
    naive = next(prompt for prompt in suite.prompts if prompt.name == "naive")
    prompts = tuple(prompt for prompt in suite.prompts if prompt.name in ("naive", "json-only"))
    text_of: Callable[[int], str] = _sentence
    missing = max(0, (workload.length or 0) - _TOKENS_OF_THE_REST)
    if workload.length is not None and workload.shared:
        prompts = (_with_examples(naive, round(missing / _TOKENS_OF_AN_EXAMPLE)),)
    elif workload.length is not None:
        prompts, text_of = (naive,), _long_text(round(missing / _TOKENS_OF_A_LINE))
    cases = tuple(
        Case(id=str(number), input=text_of(number), expected=_person(number)) for number in range(workload.jobs)
    )
    return suite.model_copy(update={"prompts": prompts, "cases": cases, "variations": Variations()})


def jobs_in(workload: Workload) -> list[Job]:
    """One job a person, the prompts in turn, in the order in which jsonbreak decodes a suite."""
    suite = suite_of(workload)
    prompt_of = {case.id: suite.prompts[n % len(suite.prompts)].name for n, case in enumerate(suite.cases)}
    return [job for job in jobs_of(suite) if job.prompt == prompt_of[job.case]]


def typical_length(prompts: list[list[int]]) -> int:
    """The median length of prompts, in tokens."""
    return round(median(len(prompt) for prompt in prompts))


def _person(number: int) -> dict[str, str | int]:
    # 32 first names, 25 last names: the shift by `number` makes each pair come up once in 800.
    name = f"{_FIRST[number % 32]} {_LAST[(number // 32 + number) % 25]}"
    return {"name": name, "age": 18 + number * 37 % 70}


def _sentence(number: int) -> str:
    return _PHRASES[number % len(_PHRASES)].format(**_person(number))


def _with_examples(prompt: Prompt, count: int) -> Prompt:
    people = range(MOST - count, MOST)
    examples = tuple(Example(input=_sentence(number), output=_person(number)) for number in people)
    return prompt.model_copy(update={"examples": examples})


def _long_text(lines: int) -> Callable[[int], str]:
    """A text that differs from every other from its first words on, with the person at its end."""

    def text_of(number: int) -> str:
        entries = range(1000 + 1000 * number, 1000 + 1000 * number + lines)
        text = [_LINES[n % 4].format(number=n, hour=1 + n % 12, late=2 + n * 7 % 58) for n in entries]
        return " ".join([*text, _sentence(number)])

    return text_of
