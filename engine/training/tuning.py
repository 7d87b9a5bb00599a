"""`jsonbreak tune`: trains a LoRA on a run's training split and saves the adapter."""

from __future__ import annotations

import json
import shutil
import time

from engine.errors import EngineError
from engine.models.loading import ModelError
from engine.models.local import local_folder
from engine.models.model import LoadedModel, ModelSpec, load_model
from engine.protocol.events import ModelReady, Remark
from engine.protocol.tune_events import Emit, TuneBegun, TuneSaved
from engine.runs.reading import RunFolder
from engine.text import plural, printable
from engine.training.adapter_card import Trained, adapter_card, format_adapter_card
from engine.training.batches import RowTokenizer, TokenizedRow
from engine.training.lora import Lora, count_steps
from engine.training.orders import TuneOrder
from engine.training.planning import CARD, MARKDOWN_CARD, TunePlan, next_commands


def tune(run: RunFolder, plan: TunePlan, order: TuneOrder, emit: Emit) -> None:
    """Train and save. The adapter's folder appears only when it is complete; an interrupted tune leaves nothing.

    Raises BadInputError (model) and EngineError (memory, disk, a loss that is not a number).
    """
    started = time.monotonic()
    model = load_model(ModelSpec(order.model, order.device), emit, pack=False)
    emit(ModelReady(model.name, str(model.device), model.dtype_name, time.monotonic() - started))
    _warn_of_another_model(run, model, emit)
    rows = _tokenized_rows(model, plan, emit)
    lora = Lora(model, order.rank)
    split = plan.split
    emit(TuneBegun(count_steps(len(rows), order.epochs), len(rows), len(split.train), len(split.test), lora.size))
    started = time.monotonic()
    losses = lora.train(rows, order.epochs, order.lr, emit)
    seconds = time.monotonic() - started
    trained = Trained(model, lora, len(rows), losses, seconds)
    _save(run, plan, order, trained)
    emit(TuneSaved(order.out, seconds, next_commands(run, order)))


def _tokenized_rows(model: LoadedModel, plan: TunePlan, emit: Emit) -> list[TokenizedRow]:
    """The rows as tokens, without those that do not fit into the model's context."""
    tokenizer = RowTokenizer(model)
    rows = [tokenizer.tokenize(row) for row in plan.rows]
    fitting = [each for each in rows if len(each) <= model.context]
    if not fitting:
        raise ModelError(f"No row fits into the context of {model.name}, which holds {model.context:,} tokens.")
    if left := len(rows) - len(fitting):
        emit(Remark(f"{plural(left, 'row')} left out: longer than the model's context of {model.context:,} tokens."))
    return fitting


def _warn_of_another_model(run: RunFolder, model: LoadedModel, emit: Emit) -> None:
    stated, prints = run.manifest.model_sha256, model.fingerprints
    if stated is not None and prints is not None and stated != prints.model:
        name = printable(run.manifest.model or "another model")
        emit(Remark(f"The run used other model files ({name}) than those that are tuned."))


def _save(run: RunFolder, plan: TunePlan, order: TuneOrder, trained: Trained) -> None:
    """Write the whole folder, or nothing."""
    fresh = order.out.with_name(f"{order.out.name}.new")
    try:
        order.out.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)  # left by a process that was killed
        trained.lora.save(fresh, _hub_name(order.model))
        card = adapter_card(run, plan, order, trained)
        (fresh / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        (fresh / MARKDOWN_CARD).write_text(format_adapter_card(card, next_commands(run, order)), encoding="utf-8")
        fresh.replace(order.out)
    except OSError as error:
        name = printable(str(order.out))
        raise EngineError(f"{name}: cannot be written ({error.strerror}); name another folder with --out.") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _hub_name(model: str | None) -> str | None:
    """The model's name on the hub, None for a folder: a local path means nothing on another machine."""
    return None if model is None or local_folder(model) else model
