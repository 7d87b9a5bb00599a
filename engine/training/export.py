"""`jsonbreak export`: a run's rows as files of training rows and held-out rows, each row once, and their card.

The rows are in a form that TRL's SFTTrainer and others read: conversational, as "messages" or as "prompt" and
"completion". Source: TRL's documentation, "Dataset formats" (https://huggingface.co/docs/trl/dataset_formats).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

from engine.errors import BadInputError, EngineError
from engine.records import Message
from engine.runs.reading import RunFolder
from engine.text import printable
from engine.training.cards import Origin, export_card, format_export_card
from engine.training.orders import ExportOrder, Format
from engine.training.rows import Row, Rows, describe_no_rows
from engine.training.split import cases_of, split_cases


def export_rows(run: RunFolder, order: ExportOrder) -> dict[str, Any]:
    """Write the files, all of them or none; returns the card.

    Raises BadInputError if a file exists already, if the cases cannot be split, or if there are no rows; EngineError if
    a file cannot be written.
    """
    for file in order.files:
        if file.exists():
            raise BadInputError(f"{printable(str(file))}: this exists already; remove it, or name another file.")
    split = split_cases(cases_of(run), order.share)
    rows = Rows(run, order.source, only_broken=order.only_broken)
    with_kwargs = any(prompt.chat_template_kwargs for prompt in run.manifest.prompts) or bool(
        run.manifest.generation.get("chat_template_kwargs")
    )
    origins: list[Origin] = []
    with _new_files(order.files) as (train, *test, card_file, markdown_file):
        lines = {train: 0, **dict.fromkeys(test, 0)}
        for row in rows:
            out = test[0] if row.case in split.test else train
            out.write(format_row(row, order.format, with_kwargs=with_kwargs))
            lines[out] += 1
            origins.append(Origin(row.jobs, row.prompt, row.case, row.source, out is not train, lines[out]))
        if not origins:
            name = printable(str(run.folder))
            raise BadInputError(f"{name}: no row can be made: {describe_no_rows(rows.tally)}.")
        card = export_card(run, order, split, rows.tally, origins)
        json.dump(card, card_file, ensure_ascii=False, indent=1)
        markdown_file.write(format_export_card(card))
    return card


@contextmanager
def _new_files(files: tuple[Path, ...]) -> Iterator[tuple[TextIO, ...]]:
    """Files to write under temporary names; they are renamed together once all of them are complete."""
    fresh = [file.with_name(f"{file.name}.new") for file in files]
    try:
        with ExitStack() as opened:
            yield tuple(opened.enter_context(each.open("w", encoding="utf-8", newline="\n")) for each in fresh)
        for each, file in zip(fresh, files, strict=True):
            each.replace(file)
    except OSError as error:
        name = printable(str(files[0]))
        raise EngineError(f"{name}: cannot be written ({error.strerror}); name another file with --sft.") from error
    finally:
        for each in fresh:
            each.unlink(missing_ok=True)


def format_row(row: Row, format: Format, *, with_kwargs: bool) -> str:
    """One line of JSON, line break included.

    with_kwargs: add the column "chat_template_kwargs", which TRL passes to the chat template row by row. Datasets need
    the same columns in all rows, so all have it if one needs it.
    """
    reply = [Message(role="assistant", content=row.completion)]
    data: dict[str, Any]
    if format == "messages":
        data = {"messages": [*row.messages, *reply]}
    else:
        data = {"prompt": list(row.messages), "completion": reply}
    if with_kwargs:
        data["chat_template_kwargs"] = dict(row.template_kwargs)
    return json.dumps(data, ensure_ascii=False) + "\n"
