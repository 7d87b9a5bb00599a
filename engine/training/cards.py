"""The card of an export: where each of its rows came from. JSON for tools, Markdown for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine import __version__
from engine.running.describe import now
from engine.runs.reading import RunFolder
from engine.text import printable
from engine.training.rows import Source, Tally
from engine.training.split import Split

if TYPE_CHECKING:
    from engine.training.orders import ExportOrder

_HASHES = ("suite_sha256", "model_sha256", "tokenizer_sha256", "chat_template_sha256", "prompts_sha256")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row came from, and where it was written."""

    jobs: list[str]
    """As in Row."""
    prompt: str
    case: str
    source: Source
    in_test: bool
    """Whether it is in the file of held-out rows."""
    line: int
    """Its number in its file, from 1."""


def run_facts(run: RunFolder) -> dict[str, Any]:
    """The facts of a card about the run that its rows are from, including its hashes."""
    manifest = run.manifest.model_dump(mode="json")
    adapter = manifest.get("adapter")
    return {
        "folder": str(run.folder.resolve()),
        "suite": manifest["suite"],
        "suite_file": manifest["suite_file"],
        "model": manifest["model"],
        "adapter": {key: adapter.get(key) for key in ("name", "sha256")} if isinstance(adapter, dict) else None,
        **{key: manifest.get(key) for key in _HASHES},
    }


def export_card(
    run: RunFolder, order: ExportOrder, split: Split, tally: Tally, origins: Sequence[Origin]
) -> dict[str, Any]:
    """The card as JSON. Keys may be added, never changed. `jsonbreak compare --only-cases` reads "test_cases"."""
    names = {False: order.file.name, True: order.test_file.name}
    counts = Counter(each.source for each in origins)
    test_rows = sum(each.in_test for each in origins)
    return {
        "format": "jsonbreak-export-1",
        "made": now(),
        "jsonbreak": __version__,
        "run": run_facts(run),
        "settings": {
            "from": order.source,
            "only_broken": order.only_broken,
            "split": order.share,
            "format": order.format,
        },
        "files": {"train": names[False], "test": names[True] if order.share else None},
        "counts": {
            "records": tally.records,
            "train_rows": len(origins) - test_rows,
            "test_rows": test_rows,
            "expected": counts["expected"],
            "constrained": counts["constrained"],
            "duplicates": tally.duplicates,
        },
        "left_out": dict(tally.left_out.most_common()),
        "train_cases": sorted(split.train),
        "test_cases": sorted(split.test),
        "rows": [
            {
                "file": names[each.in_test],
                "line": each.line,
                "source": each.source,
                "prompt": each.prompt,
                "case": each.case,
                "jobs": each.jobs,
            }
            for each in origins
        ],
    }


def format_export_card(card: dict[str, Any]) -> str:
    """The card as Markdown."""
    run, counts, files, settings = card["run"], card["counts"], card["files"], card["settings"]
    adapter = f" with the adapter {code(run['adapter']['name'])}" if run["adapter"] else ""
    lines = [
        f"# Training rows from {code(run['suite'])}",
        "",
        f"Made by jsonbreak {card['jsonbreak']} on {card['made']} from the run {code(run['folder'])}",
        f"of {code(run['model'])}{adapter}. The JSON card says under `rows` where each row came from.",
        "",
        "| file | rows | cases |",
        "| --- | --- | --- |",
        f"| {code(files['train'])} | {counts['train_rows']} | {len(card['train_cases'])} |",
    ]
    if files["test"]:
        lines += [f"| {code(files['test'])} | {counts['test_rows']} | {len(card['test_cases'])} |"]
    lines += [
        "",
        f"- Completions: {counts['expected']} expected values, {counts['constrained']} constrained replies that",
        "  satisfied the schema and were not contradicted by an expected value.",
        f"- Of {counts['records']} records, {counts['duplicates']} asked and answered the same as another one.",
        *(f"- Left out: {count}, because {reason}." for reason, count in card["left_out"].items()),
        *(["- Only jobs whose free reply was broken."] if settings["only_broken"] else []),
        "",
        f'Read with `load_dataset("json", data_files={files["train"]!r})`; TRL\'s SFTTrainer takes it as it is. '
        + _trained_on(settings["format"]),
        "",
        *_hash_lines(run),
    ]
    return "\n".join(lines) + "\n"


def code(text: object) -> str:
    """Untrusted text as code in Markdown, on one line."""
    return f"`{printable(str(text)).replace('`', chr(39))}`"


def _trained_on(format: str) -> str:
    if format == "messages":
        return "It trains on the whole chat, unless `assistant_only_loss` is set and the template supports it."
    return "It trains on the completion alone."


def _hash_lines(run: dict[str, Any]) -> list[str]:
    hashes = [(key, run[key]) for key in _HASHES if isinstance(run[key], str)]
    return [
        "| SHA-256 of | |",
        "| --- | --- |",
        *(f"| {key.removesuffix('_sha256')} | {each} |" for key, each in hashes),
    ]
