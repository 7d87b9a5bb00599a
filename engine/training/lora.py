"""A LoRA on a loaded model: its target modules, its training, its files. PEFT makes it; the loop is plain PyTorch.

TRL's SFTTrainer would bring packing, evaluation, checkpoints and several GPUs, and with them datasets, pyarrow and
pandas, files of its own, and prompts tokenized in its own way instead of the decoder's. A first result needs none of
that; `jsonbreak export` writes what TRL reads.
"""

from __future__ import annotations

import inspect
import math
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from engine.errors import EngineError
from engine.models.loading import quiet
from engine.models.model import LoadedModel
from engine.models.placement import out_of_memory
from engine.protocol.tune_events import Emit, TuneStep
from engine.training.batches import TokenizedRow, TrainingBatch, make_batch

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
BATCH = 8  # rows per step
SEED = 0
_ALPHA = 2  # times the rank: the usual scale of a LoRA's updates
_WARM_UP = 0.1  # of the steps; after that the learning rate decays linearly to zero
_MOST_NORM = 1.0  # gradients are clipped to it


class Lora:
    """A LoRA on the attention projections; on all linear layers if the model names its projections differently.

    Its weights are float32 whatever the model's dtype is. The model's own weights do not change.
    """

    def __init__(self, model: LoadedModel, rank: int) -> None:
        from peft import LoraConfig, get_peft_model

        names = {name.rpartition(".")[2] for name, _ in model.model.named_modules()}
        found = [name for name in ATTENTION if name in names]
        self.targets: list[str] | str = found or "all-linear"
        self.alpha = _ALPHA * rank
        config = LoraConfig(r=rank, lora_alpha=self.alpha, target_modules=self.targets, task_type="CAUSAL_LM")
        torch.manual_seed(SEED)
        with quiet("preparing the adapter", lambda _: None):
            self._peft: Any = get_peft_model(model.model, config)
        self._device = model.device
        self._weights = [weight for weight in self._peft.parameters() if weight.requires_grad]
        self._takes = set(inspect.signature(model.model.forward).parameters)

    @property
    def size(self) -> int:
        """How many weights are trained."""
        return sum(weight.numel() for weight in self._weights)

    def train(self, rows: Sequence[TokenizedRow], epochs: int, lr: float, emit: Emit) -> list[float]:
        """Train; returns the loss of each step. Raises EngineError if memory runs out or the loss is not finite."""
        steps = count_steps(len(rows), epochs)
        optimizer = torch.optim.AdamW(self._weights, lr=lr, weight_decay=0.0)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share_of_lr(step, steps))
        losses: list[float] = []
        started = time.monotonic()
        self._peft.train()
        for chosen in _batches(rows, epochs):
            losses.append(self._step(chosen, optimizer))
            schedule.step()
            left = (time.monotonic() - started) / len(losses) * (steps - len(losses))
            emit(TuneStep(len(losses), steps, losses[-1], left))
        self._peft.eval()
        return losses

    def save(self, folder: Path, base: str | None) -> None:
        """Write it in PEFT's format. base: the name of its base model; None for the path that was loaded."""
        if base is not None:
            self._peft.peft_config["default"].base_model_name_or_path = base
        with quiet("saving the adapter", lambda _: None):
            self._peft.save_pretrained(str(folder))

    def _step(self, rows: Sequence[TokenizedRow], optimizer: torch.optim.Optimizer) -> float:
        try:
            loss = self._loss(make_batch(rows, self._device))
            loss.backward()  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            longest = max(map(len, rows))
            problem = f"Memory ran out while training on {len(rows)} rows of up to {longest} tokens at once"
            raise EngineError(f"{problem}: take a smaller model, or train on a GPU with more memory.") from error
        value = loss.item()
        if not math.isfinite(value):
            raise EngineError("The loss is not a finite number any more: take a smaller --lr.")
        torch.nn.utils.clip_grad_norm_(self._weights, _MOST_NORM)
        optimizer.step()
        optimizer.zero_grad()
        return value

    def _loss(self, batch: TrainingBatch) -> torch.Tensor:
        """The mean over the tokens of the completions. Logits are computed for these only, if the model supports it."""
        reach = batch.labels.shape[1]
        options = {"position_ids": batch.positions, "logits_to_keep": reach + 1, "use_cache": False}
        options = {name: value for name, value in options.items() if name in self._takes}
        logits = self._peft(input_ids=batch.ids, attention_mask=batch.mask, **options).logits
        before = logits[:, -(reach + 1) : -1]  # each token is predicted at the one before it
        return torch.nn.functional.cross_entropy(before.float().flatten(0, 1), batch.labels.flatten())


def count_steps(rows: int, epochs: int) -> int:
    """How many steps a training on this many rows takes."""
    return epochs * -(-rows // BATCH)


def _batches(rows: Sequence[TokenizedRow], epochs: int) -> Iterator[list[TokenizedRow]]:
    """Each epoch in its own order, which is the same in every tune."""
    order = random.Random(SEED)
    for _ in range(epochs):
        shuffled = list(rows)
        order.shuffle(shuffled)
        yield from (shuffled[start : start + BATCH] for start in range(0, len(shuffled), BATCH))


def _share_of_lr(step: int, steps: int) -> float:
    warm_up = max(1, round(_WARM_UP * steps))
    return min(1.0, (step + 1) / warm_up) * max(0.0, (steps - step) / steps)
