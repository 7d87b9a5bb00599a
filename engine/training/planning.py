"""Plans a tune before anything slow is imported: the rows, the split, the next commands."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from engine.errors import BadInputError
from engine.models.builtin import NAME as BUILTIN
from engine.models.local import local_folder
from engine.runs.reading import RunFolder
from engine.text import did_you_mean, printable, short_json
from engine.training.orders import TuneOrder
from engine.training.rows import Row, Rows, Tally, describe_no_rows
from engine.training.split import Split, cases_of, split_cases

CARD, MARKDOWN_CARD = "card.json", "README.md"


@dataclass(frozen=True, slots=True)
class TunePlan:
    """What a tune trains on."""

    rows: Sequence[Row]
    """In an order that depends only on their jobs."""
    split: Split
    tally: Tally


def plan_tune(run: RunFolder, order: TuneOrder) -> TunePlan:
    """TunePlan a tune. Raises BadInputError if it is impossible with these options."""
    if find_spec("peft") is None:
        raise BadInputError("tune needs the package peft: pip install 'jsonbreak[tune]'.")
    _refuse_taken(order.out)
    _refuse_missing_model(run, order)
    _refuse_unknown_prompts(run, order.prompts)
    split = split_cases(cases_of(run), order.share)
    rows = Rows(run, order.source, prompts=order.prompts)
    found = sorted((row for row in rows if row.case in split.train), key=lambda row: row.jobs[0])
    if not found:
        name = printable(str(run.folder))
        raise BadInputError(f"{name}: nothing can be trained on: {describe_no_rows(rows.tally)}.")
    return TunePlan(found, split, rows.tally)


def next_commands(run: RunFolder, order: TuneOrder) -> tuple[str, ...]:
    """Commands that run the suite with the adapter, and compare that with this run on the held-out cases."""
    folder, suite = run.folder, run.manifest.suite_file or "SUITE"
    out = [] if folder.parent == Path("runs") else ["--out", str(folder.parent)]
    runs = [] if folder.parent == Path("runs") else ["--runs", str(folder.parent)]
    model = ["--model", order.model] if order.model else []
    device = [] if order.device == "auto" else ["--device", order.device]
    chosen = order.prompts or run.manifest.selection.get("prompts") or ()
    prompts = [word for name in chosen for word in ("--prompt", str(name))]
    cases = ["--only-cases", str(order.out / CARD)] if order.share else []
    return (
        shlex.join(["jsonbreak", "run", suite, *prompts, *model, *device, "--adapter", str(order.out), *out]),
        shlex.join(["jsonbreak", "compare", str(folder), "last", *cases, *runs]),
    )


def _refuse_taken(out: Path) -> None:
    name = printable(str(out))
    try:
        if out.is_dir() and not any(out.iterdir()):
            return
        if out.exists():
            raise BadInputError(f"{name}: this exists already; remove it, or name another folder with --out.")
    except OSError as error:
        raise BadInputError(f"{name}: cannot be read ({error.strerror}); name another with --out.") from error


def _refuse_missing_model(run: RunFolder, order: TuneOrder) -> None:
    stated = run.manifest.model
    if order.model is not None:
        local_folder(order.model)
    elif stated is not None and stated != BUILTIN:
        raise BadInputError(f"The run is of {printable(stated)}; say with --model where to find it.")


def _refuse_unknown_prompts(run: RunFolder, prompts: Sequence[str]) -> None:
    known = [prompt.name for prompt in run.manifest.prompts]
    for name in prompts:
        if name not in known:
            raise BadInputError(
                printable(f"--prompt: the run has no prompt {short_json(name)}; {did_you_mean(name, known)}")
            )
