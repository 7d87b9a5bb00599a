"""The local backend: jobs of a suite → requests for the decoder, with as large a batch as the memory holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any

from typing_extensions import override

from engine.backends import AdapterInUse, Backend, GrammarError, Plan
from engine.decoding.batch import SequentialBatch, SlotBatch, can_batch
from engine.decoding.cuda_graphs import cuda_capture
from engine.decoding.decoder import TwinDecoder
from engine.decoding.sampling import SamplingParams
from engine.decoding.thinking import Think
from engine.decoding.twins import Request
from engine.errors import BadInputError
from engine.grammars.compiling import compile_grammar
from engine.grammars.grammar import WHITESPACE, Grammar
from engine.grammars.vocabulary import VocabularyError, token_bytes
from engine.models.loading import Emit
from engine.models.machine import device_name, gpu_versions
from engine.models.model import LoadedModel
from engine.models.placement import free_memory
from engine.per_schema import schema_key
from engine.protocol.commands import GrammarKind
from engine.suites.jobs import Job
from engine.suites.tables import Generation
from engine.text import printable, short_json

_PACKAGES = ("torch", "transformers", "outlines", "outlines_core", "llguidance", "tokenizers")
_ONE_AT_A_TIME = (
    "Some layers of this model do not keep the keys and values of all tokens (they keep windows or states): "
    "its jobs are decoded one at a time."
)
_MEMORY_SHARE = 0.4  # of what is free; the rest is for activations, and for other programs
_MAX_SLOTS = {"cpu": 128}  # more rows no longer decode faster
_MAX_SLOTS_ELSEWHERE = 512
_MAX_PREFILL_TOKENS = {"cpu": 128}  # such a pass over prompts takes about as long as a step of a full batch
_MAX_PREFILL_TOKENS_ELSEWHERE = 1024


class LocalBackend(Backend[Grammar]):
    """A loaded model, and the grammars compiled for it so far."""

    search_unavailable_reason: str | None = None

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self.name, self.device, self.precision = model.name, str(model.device), model.dtype_name
        self._vocabulary: dict[bytes, list[int]] | None = None
        self._grammars: dict[tuple[str, GrammarKind], Grammar] = {}

    @override
    def use_adapter(self, name: str | None) -> AdapterInUse | None:
        adapters = self.model.adapters
        if name is not None and (adapters is None or name not in adapters.names):
            restart = f"start again with --adapter {printable(name)}=PATH"
            raise BadInputError(f"No adapter {short_json(name)} was loaded; {restart}.")
        return adapters.use(name) if adapters is not None else None

    @override
    def grammar(self, schema: Mapping[str, Any], seconds: float, emit: Emit, kind: GrammarKind = "auto") -> Grammar:
        key = schema_key(schema), kind
        if key not in self._grammars:
            try:
                self._vocabulary = self._vocabulary or token_bytes(self.model.tokenizer)
            except VocabularyError as error:
                raise GrammarError(str(error)) from error
            stop_ids = self.model.stop_ids
            self._grammars[key] = compile_grammar(schema, self._vocabulary, stop_ids, seconds, emit, kind)
        return self._grammars[key]

    @override
    def plan(
        self,
        jobs: Sequence[Job],
        grammar_of: Callable[[Job], Grammar | None],
        generation: Generation,
        batch: int | None = None,
    ) -> Plan:
        impossible: dict[str, str] = {}
        unconstrained: dict[str, str] = {}
        lengths: dict[str, int] = {}
        requests: list[Request] = []
        for job in jobs:
            tokens = self.model.prompt_ids(job.messages, job.prefill, job.template_kwargs)
            lengths[job.id] = len(tokens)
            think = self._think(job)
            reply = _reply_tokens(think, generation)
            if len(tokens) + reply > self.model.context:
                impossible[job.id] = (
                    f"The prompt has {len(tokens):,} tokens and the reply may take {reply:,}, "
                    f"but the model's context holds {self.model.context:,}."
                )
                continue
            grammar = grammar_of(job)
            if grammar is not None and think is None:
                try:
                    grammar.start(job.prefill)
                except GrammarError as error:
                    unconstrained[job.id] = str(error)
                    grammar = None
            requests.append(Request(job.id, tokens, job.prefill, job.seed, grammar, think))
        slots = self._slots(requests, generation, batch) if can_batch(self.model) else None
        decoder = self._decoder(requests, generation, slots)
        return Plan(decoder, impossible, unconstrained, lengths, slots, () if slots else (_ONE_AT_A_TIME,))

    @override
    def describe(self) -> dict[str, Any]:
        files = self.model.fingerprints
        devices = {weight.device for weight in self.model.model.parameters()}
        return {
            "model_sha256": files.model if files else None,
            "model_files": dict(files.files) if files else None,
            "tokenizer_sha256": files.tokenizer if files else None,
            "chat_template_sha256": files.chat_template if files else None,
            "attention": self.model.model.config._attn_implementation,
            "device_name": device_name(devices),
            "whitespace_pattern": WHITESPACE,
            "versions": {name: version(name) for name in _PACKAGES} | gpu_versions(self.model.device),
            "server": None,
            "server_url": None,
        }

    def _think(self, job: Job) -> Think | None:
        if job.think_close is None:
            return None
        close_ids = self.model.tokenizer(job.think_close, add_special_tokens=False)["input_ids"]
        return Think(job.think_close, close_ids, job.think_budget)

    def _decoder(self, requests: Sequence[Request], generation: Generation, slots: int | None) -> TwinDecoder:
        device = self.model.device.type
        max_prefill_tokens = _MAX_PREFILL_TOKENS.get(device, _MAX_PREFILL_TOKENS_ELSEWHERE)
        # CUDA graphs only on one GPU: a model spread over several would need a graph on each.
        one_gpu = device == "cuda" and len({weight.device for weight in self.model.model.parameters()}) == 1
        graphs = cuda_capture() if one_gpu else None
        max_seq_len = _max_seq_len(requests, generation)
        batched = partial(
            SlotBatch, self.model, max_seq_len=max_seq_len, max_prefill_tokens=max_prefill_tokens, graphs=graphs
        )
        decoder = TwinDecoder(
            self.model,
            batched if slots else lambda slots: SequentialBatch(self.model),
            slots or 1,
            SamplingParams(generation.temperature, generation.top_p, generation.top_k),
            generation.max_new_tokens,
        )
        for request in requests:
            decoder.submit(request)
        return decoder

    def _slots(self, requests: Sequence[Request], generation: Generation, batch: int | None) -> int:
        """How many rows fit into a share of the free memory, next to the slot of the prefix cache."""
        row_bytes = _max_seq_len(requests, generation) * self._bytes_per_token()
        fitting = int(_MEMORY_SHARE * free_memory(self.model.device) / row_bytes) - 1
        most = batch or _MAX_SLOTS.get(self.model.device.type, _MAX_SLOTS_ELSEWHERE)
        return max(1, min(2 * len(requests), fitting, most))

    def _bytes_per_token(self) -> int:
        config = self.model.model.config.get_text_config()
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return int(2 * config.num_hidden_layers * heads * width * self.model.dtype.itemsize)


def _reply_tokens(think: Think | None, generation: Generation) -> int:
    """The most tokens that a reply can have, including its thinking."""
    return generation.max_new_tokens + (think.budget + len(think.close_ids) if think else 0)


def _max_seq_len(requests: Sequence[Request], generation: Generation) -> int:
    """The most tokens that a row can have."""
    return max((len(each.tokens) + _reply_tokens(each.think, generation) for each in requests), default=1)
