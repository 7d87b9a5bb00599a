"""`jsonbreak tune`: a LoRA on a run's training split, from its folder to the adapter's."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from engine.errors import EngineError
from engine.models.loading import ModelError
from engine.models.model import LoadedModel, ModelSpec, load_model
from engine.protocol.events import ModelReady, Remark
from engine.protocol.tune_events import Emit, TuneBegun, TuneSaved
from engine.runs.reading import RunFolder
from engine.text import plural, printable
from engine.training.adapter_card import Trained, adapter_card, adapter_words
from engine.training.batches import Example, Tokens
from engine.training.lora import Lora, steps_of
from engine.training.orders import TuneOrder
from engine.training.planning import CARD, WORDS, Plan, next_commands


def tune(run: RunFolder, plan: Plan, order: TuneOrder, tell: Emit) -> None:
    """Train and save. The adapter's folder is there when it is whole: who interrupts it finds nothing.

    Raises BadInputError (model) and EngineError (memory, disk, a loss that is not a number).
    """
    started = time.monotonic()
    model = load_model(ModelSpec(order.model, order.device), tell, pack=False)
    tell(ModelReady(model.name, str(model.device), model.dtype_name, time.monotonic() - started))
    _warn_of_another_model(run, model, tell)
    examples = _examples(model, plan, tell)
    lora = Lora(model, order.rank)
    split = plan.split
    begun = TuneBegun(
        steps_of(len(examples), order.epochs), len(examples), len(split.train), len(split.test), lora.size
    )
    tell(begun)
    started = time.monotonic()
    losses = lora.train(examples, order.epochs, order.lr, tell)
    seconds = time.monotonic() - started
    trained = Trained(model, lora, len(examples), losses, seconds)
    _save(run, plan, order, trained)
    tell(TuneSaved(order.out, seconds, next_commands(run, order)))


def _examples(model: LoadedModel, plan: Plan, tell: Emit) -> list[Example]:
    """The rows as tokens, without those that the model's context does not hold."""
    tokens = Tokens(model)
    found = [tokens.example(row) for row in plan.rows]
    examples = [each for each in found if len(each) <= model.context]
    if not examples:
        raise ModelError(f"No row fits into the context of {model.name}, which holds {model.context:,} tokens.")
    if left := len(found) - len(examples):
        tell(Remark(f"{plural(left, 'row')} left out: longer than the model's context of {model.context:,} tokens."))
    return examples


def _warn_of_another_model(run: RunFolder, model: LoadedModel, tell: Emit) -> None:
    stated, prints = run.manifest.model_sha256, model.fingerprints
    if stated is not None and prints is not None and stated != prints.model:
        name = printable(run.manifest.model or "another model")
        tell(Remark(f"The run is of other model files ({name}) than those that are tuned."))


def _save(run: RunFolder, plan: Plan, order: TuneOrder, trained: Trained) -> None:
    """All of the folder, or nothing."""
    fresh = order.out.with_name(f"{order.out.name}.new")
    try:
        order.out.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)  # left by a process that was killed
        trained.lora.save(fresh, _hub_name(order.model))
        card = adapter_card(run, plan, order, trained)
        (fresh / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        (fresh / WORDS).write_text(adapter_words(card, next_commands(run, order)), encoding="utf-8")
        fresh.replace(order.out)
    except OSError as error:
        name = printable(str(order.out))
        raise EngineError(f"{name}: cannot be written ({error.strerror}); name another folder with --out.") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _hub_name(model: str | None) -> str | None:
    """Where the model came from, if that is the hub: the place where it lies here means nothing elsewhere."""
    return None if model is None or Path(model).expanduser().is_dir() else model
