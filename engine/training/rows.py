"""The training rows of a run: the messages of each job, and the reply that it should have had."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from jsonschema.protocols import Validator

from engine.judging.validator import build_validator
from engine.records import Message, Record
from engine.runs.reading import RunFolder
from engine.runs.run_manifest import Manifest, PromptText
from engine.training.key_order import in_schema_order

Source: TypeAlias = Literal["expected", "constrained"]
"""Where a completion comes from: the value the suite expects, or the reply of the constrained arm."""


@dataclass(frozen=True, slots=True)
class Row:
    """A prompt and its completion."""

    jobs: list[str]
    """The ids of the jobs that it came from. Identical rows are merged, so ids are added while records are read."""
    prompt: str
    case: str
    source: Source
    messages: tuple[Message, ...]
    completion: str
    """It begins with the prefill."""
    prefill: str
    """The prompt's; "" for none."""
    template_kwargs: Mapping[str, Any]
    """Variables for the chat template."""


@dataclass(slots=True)
class Tally:
    """How many records became rows, and why others did not."""

    records: int = 0
    duplicates: int = 0
    """Records whose row was identical to an earlier one."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Records without a row, by the reason in words."""


class Rows:
    """The distinct rows of a run, made while its records are read.

    The expected values contain no thoughts, so for a prompt that lets the model think only the constrained reply can
    become a row, thoughts included.
    """

    def __init__(
        self,
        run: RunFolder,
        source: Source | None = None,
        *,
        only_broken: bool = False,
        prompts: Collection[str] = (),
    ) -> None:
        """source: None uses the expected value where there is one, else the constrained reply.

        only_broken: only jobs whose free reply is not ok. prompts: only these; empty for all.
        """
        self.tally = Tally()
        self._run, self._source, self._only_broken, self._prompts = run, source, only_broken, prompts
        self._known = {prompt.name: _Prompt(run.manifest, prompt) for prompt in run.manifest.prompts}
        self._unknown = _Prompt(run.manifest, PromptText(name=""))
        self._jobs: dict[bytes, list[str]] = {}

    def __iter__(self) -> Iterator[Row]:
        for _, record in self._run.records():
            if self._prompts and record.prompt not in self._prompts:
                continue
            self.tally.records += 1
            row = self._row(record)
            if isinstance(row, str):
                self.tally.left_out[row] += 1
                continue
            jobs = self._jobs.setdefault(_digest(row), row.jobs)
            if jobs is row.jobs:
                yield row
            else:
                jobs.append(record.id)
                self.tally.duplicates += 1

    def _row(self, record: Record) -> Row | str:
        """The row of a record, or the reason why there is none."""
        if self._only_broken and (record.free.verdict is None or record.free.verdict.ok):
            return "the free reply is not broken"
        prompt = self._known.get(record.prompt, self._unknown)
        found = self._completion(record, prompt)
        if isinstance(found, str):
            return found
        source, completion = found
        if not completion.startswith(prompt.prefill):
            return "the reply cannot begin as the prompt's prefill does"
        return Row(
            [record.id],
            record.prompt,
            record.case,
            source,
            record.messages,
            completion,
            prompt.prefill,
            prompt.template_kwargs,
        )

    def _completion(self, record: Record, prompt: _Prompt) -> tuple[Source, str] | str:
        has_expected = record.expected is not None and not prompt.thinks
        if self._source == "expected" or (self._source is None and has_expected):
            if record.expected is None:
                return "nothing is expected"
            if prompt.thinks:
                return "the prompt lets the model think, and no thoughts are expected"
            text = prompt.expected_text(record.expected)
            return "what is expected does not satisfy the prompt's schema" if text is None else ("expected", text)
        verdict = record.constrained.verdict
        if verdict is None:
            return "there is no constrained reply"
        if not (verdict.strict and verdict.schema):
            return "the constrained reply does not satisfy the schema"
        if verdict.values is False:
            return "the constrained reply has other values than expected"
        return "constrained", _stripped(record.constrained.text, prompt.prefill)


def describe_no_rows(tally: Tally) -> str:
    """Why there are no rows: the most frequent reason."""
    if not tally.records:
        return "it has no records"
    if not tally.left_out:
        return "all of its rows are held out"
    reason, count = tally.left_out.most_common(1)[0]
    return f"of {count} of its {tally.records} records, {reason}"


class _Prompt:
    """The facts about a prompt in a run's manifest that rows need."""

    def __init__(self, manifest: Manifest, prompt: PromptText) -> None:
        self.prefill = prompt.prefill or ""
        self.thinks = prompt.think is not None
        common = manifest.generation.get("chat_template_kwargs") or {}
        self.template_kwargs: Mapping[str, Any] = {**common, **prompt.chat_template_kwargs}
        own = (facts.json_schema for facts in manifest.grammars if prompt.name in facts.prompts)
        self._schema: Any = next(own, manifest.json_schema)
        self._validator: Validator | None = None

    def expected_text(self, expected: Any) -> str | None:
        """The expected value as JSON text, keys in the schema's order; None if it does not satisfy the schema."""
        if self._validator is None:
            self._validator = build_validator(self._schema if isinstance(self._schema, dict) else {})
        if not self._validator.is_valid(expected):
            return None
        return json.dumps(in_schema_order(expected, self._validator, self._schema), ensure_ascii=False)


def _stripped(text: str, prefill: str) -> str:
    """Without surrounding white space, except at the beginning if the prefill begins with white space."""
    return text.rstrip() if prefill[:1].isspace() else text.strip()


def _digest(row: Row) -> bytes:
    content = [row.messages, row.prefill, row.template_kwargs, row.completion]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()
