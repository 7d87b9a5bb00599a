"""Jobs of a suite → requests for the twin-row decoder, as large a batch as the memory holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psutil
import torch

from engine.decoding.compiling import compile_grammar
from engine.decoding.grammar import Grammar, GrammarError
from engine.decoding.loading import Report
from engine.decoding.model import LoadedModel
from engine.decoding.rows import BatchRows, Rows, SeparateRows, can_batch
from engine.decoding.sampling import SamplingParams
from engine.decoding.twin import Request, TwinDecoder
from engine.decoding.vocabulary import VocabularyError, token_bytes
from engine.jobs import Job
from engine.suites import Generation

_MEMORY_SHARE = 0.4
_MOST_ROWS = 128


@dataclass(frozen=True, slots=True)
class Plan:
    """A decoder with its requests queued, and what cannot be decoded: the reason by job id, for both arms or one."""

    decoder: TwinDecoder
    impossible: Mapping[str, str]
    unconstrained: Mapping[str, str]


class LocalBackend:
    """A loaded model, and the grammars made for it so far."""

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self._vocabulary: dict[bytes, list[int]] | None = None
        self._grammars: dict[str, Grammar] = {}

    def grammar(self, schema: Mapping[str, Any], seconds: float, report: Report) -> Grammar:
        """The schema's grammar, compiled once, in at most `seconds`. Raises GrammarError: the reason there is none."""
        key = json.dumps(schema)
        if key not in self._grammars:
            try:
                self._vocabulary = self._vocabulary or token_bytes(self.model.tokenizer)
            except VocabularyError as error:
                raise GrammarError(str(error)) from error
            self._grammars[key] = compile_grammar(schema, self._vocabulary, self.model.stop_ids, seconds, report)
        return self._grammars[key]

    def plan(self, jobs: Sequence[Job], grammar: Grammar | None, generation: Generation) -> Plan:
        """Queue the jobs that fit the model's context, in order."""
        impossible: dict[str, str] = {}
        unconstrained: dict[str, str] = {}
        requests: list[Request] = []
        for job in jobs:
            tokens = self.model.prompt_ids(job.messages, job.prefill)
            if len(tokens) + generation.max_new_tokens > self.model.context:
                impossible[job.id] = (
                    f"The prompt has {len(tokens):,} tokens and the reply may take {generation.max_new_tokens:,}, "
                    f"but the model's context holds {self.model.context:,}."
                )
                continue
            request = Request(job.id, tokens, job.prefill, job.seed, grammar)
            if grammar is not None:
                try:
                    grammar.start(job.prefill)
                except GrammarError as error:
                    unconstrained[job.id] = str(error)
                    request = Request(job.id, tokens, job.prefill, job.seed, None)
            requests.append(request)
        decoder = self._decoder(requests, generation)
        for request in requests:
            decoder.submit(request)
        return Plan(decoder, impossible, unconstrained)

    def _decoder(self, requests: Sequence[Request], generation: Generation) -> TwinDecoder:
        capacity = max((len(request.tokens) for request in requests), default=0) + generation.max_new_tokens
        rows: Rows
        if can_batch(self.model):
            slots = self._slots(len(requests), capacity)
            rows = BatchRows(self.model, slots, capacity)
        else:
            slots, rows = 2, SeparateRows(self.model)
        params = SamplingParams(generation.temperature, generation.top_p, generation.top_k)
        return TwinDecoder(self.model, rows, slots, params, generation.max_new_tokens)

    def _slots(self, jobs: int, capacity: int) -> int:
        """Rows that fit a share of the free memory; two at least, or nothing could run."""
        fitting = int(_MEMORY_SHARE * self._free_memory() / (capacity * self._bytes_per_token()))
        return max(2, min(2 * jobs, fitting, _MOST_ROWS))

    def _free_memory(self) -> int:
        if self.model.device.type == "cuda":
            return torch.cuda.mem_get_info(self.model.device)[0]
        return int(psutil.virtual_memory().available)

    def _bytes_per_token(self) -> int:
        config = self.model.model.config.get_text_config()
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return int(2 * config.num_hidden_layers * heads * width * self.model.dtype.itemsize)
