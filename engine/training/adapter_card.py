"""The card of an adapter: what it was trained on, and how. JSON for tools, Markdown for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from engine import __version__
from engine.models.model import LoadedModel
from engine.running.describe import now
from engine.runs.reading import RunFolder
from engine.training.cards import code, run_facts
from engine.training.lora import BATCH, SEED, Lora
from engine.training.orders import TuneOrder
from engine.training.planning import TunePlan


@dataclass(frozen=True, slots=True)
class Trained:
    """The result of a training."""

    model: LoadedModel
    lora: Lora
    rows: int
    """How many rows it was trained on."""
    losses: Sequence[float]
    """Of each step."""
    seconds: float
    """Of the training alone."""


def adapter_card(run: RunFolder, plan: TunePlan, order: TuneOrder, trained: Trained) -> dict[str, Any]:
    """The card as JSON. Keys may be added, never changed. `jsonbreak compare --only-cases` reads "test_cases"."""
    model, lora = trained.model, trained.lora
    sources = Counter(row.source for row in plan.rows)
    return {
        "format": "jsonbreak-adapter-1",
        "made": now(),
        "jsonbreak": __version__,
        "base": {
            "name": model.name,
            "model_sha256": model.fingerprints.model if model.fingerprints is not None else None,
            "device": str(model.device),
            "dtype": model.dtype_name,
        },
        "run": run_facts(run),
        "settings": {
            "rank": order.rank,
            "alpha": lora.alpha,
            "target_modules": lora.targets,
            "epochs": order.epochs,
            "lr": order.lr,
            "batch": BATCH,
            "seed": SEED,
            "split": order.share,
            "from": order.source,
            "prompts": list(order.prompts),
        },
        "counts": {
            "records": plan.tally.records,
            "rows": trained.rows,
            "expected": sources["expected"],
            "constrained": sources["constrained"],
            "trainable": lora.size,
            "steps": len(trained.losses),
        },
        "left_out": dict(plan.tally.left_out.most_common()),
        "seconds": round(trained.seconds, 1),
        "versions": {name: version(name) for name in ("torch", "transformers", "peft")},
        "losses": [round(loss, 6) for loss in trained.losses],
        "train_cases": sorted(plan.split.train),
        "test_cases": sorted(plan.split.test),
    }


def format_adapter_card(card: dict[str, Any], next_commands: Sequence[str]) -> str:
    """The card as Markdown, with the metadata for the Hugging Face hub at its top."""
    base, run, counts, settings = card["base"], card["run"], card["counts"], card["settings"]
    targets = settings["target_modules"]
    where = ", ".join(targets) if isinstance(targets, list) else targets
    lines = [
        "---",
        "library_name: peft",
        "pipeline_tag: text-generation",
        "tags: [lora, jsonbreak]",
        "---",
        "",
        f"# A LoRA for {code(run['suite'])} on {code(base['name'])}",
        "",
        f"Trained by jsonbreak {card['jsonbreak']} on {card['made']} on the rows of the run {code(run['folder'])}.",
        "It was trained only for this suite and has not been measured yet: compare it on the held-out cases.",
        "",
        "| | |",
        "| --- | --- |",
        f"| base model | {code(base['name'])}, {base['dtype']} on {base['device']} |",
        f"| SHA-256 of its files | {base['model_sha256'] or 'not known'} |",
        f"| rank, alpha | {settings['rank']}, {settings['alpha']} on {where} |",
        f"| epochs, learning rate, rows per step | {settings['epochs']}, {settings['lr']:g}, {settings['batch']} |",
        f"| rows | {counts['rows']} ({counts['expected']} expected, {counts['constrained']} constrained) |",
        f"| cases | {len(card['train_cases'])} trained on, {len(card['test_cases'])} held out |",
        f"| loss | {card['losses'][0]:.3g} at the first step, {card['losses'][-1]:.3g} at the last |",
        f"| steps, seconds | {counts['steps']}, {card['seconds']} |",
        "",
        "Next:",
        "",
        *(f"    {command}" for command in next_commands),
    ]
    return "\n".join(lines) + "\n"
