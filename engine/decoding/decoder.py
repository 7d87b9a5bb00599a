"""The decoder's loop: every job is decoded free and constrained, in one row until the two arms choose differently.

Both choices are taken from the same logits, the constrained one under the grammar's mask and with the same random draw.
While they agree one row serves both arms; when they differ the row forks: its KV is copied, and each arm continues
alone. Rows leave the batch as soon as they are done, and waiting jobs take their place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

import torch
from typing_extensions import override

from engine.backends import (
    ArmResult,
    ArmsForked,
    BatchHalved,
    Decoder,
    DecoderEvent,
    Finished,
    GrammarError,
    Started,
    TokenAdded,
)
from engine.decoding.batch import Batch
from engine.decoding.detokenizer import TextStream, decode
from engine.decoding.forks import ForkExplainer
from engine.decoding.masks import MaskTable
from engine.decoding.sampling import Sampler, SamplingParams
from engine.decoding.scheduler import Scheduler
from engine.decoding.selection import Choice, Choices, TokenSelector, probabilities
from engine.decoding.thinking import Thinking
from engine.decoding.twins import ArmState, Request, Row, Twin
from engine.errors import EngineError
from engine.grammars.grammar import Grammar
from engine.models.model import LoadedModel
from engine.models.placement import out_of_memory
from engine.records import ARMS, Arm

_NO_MEMORY = "The memory does not hold one job, neither its prompt nor its reply; what was finished is kept."
_NO_SMALLER_BATCH = (
    "The memory ran out, and no longer holds even half of the batch: another program may have taken it; "
    "what was finished is kept."
)


class TwinDecoder(Decoder):
    """Decodes requests in the order they were submitted, as many at once as the batch has slots for."""

    def __init__(
        self,
        model: LoadedModel,
        make_batch: Callable[[int], Batch],
        slots: int,
        params: SamplingParams,
        max_new_tokens: int,
    ) -> None:
        """make_batch: gives an empty batch of that many slots; called again, with fewer, when memory runs out."""
        self._model, self._make_batch, self._max_new_tokens = model, make_batch, max_new_tokens
        self._sampler = Sampler(params, model.device)
        vocabulary_size: int = model.model.config.get_text_config().vocab_size
        self._masks = MaskTable(vocabulary_size, model.device, model.stop_ids)
        self._selector = TokenSelector(self._sampler, self._masks, model.stop_ids)
        self._explainer = ForkExplainer(model.tokenizer, self._masks)
        self._scheduler = Scheduler(make_batch(slots), slots)

    @property
    @override
    def busy(self) -> bool:
        return self._scheduler.busy

    @property
    @override
    def in_flight(self) -> int:
        return self._scheduler.in_flight

    def submit(self, request: Request) -> None:
        """Put a request at the end of the queue. Its grammar must allow its prefill."""
        self._scheduler.waiting.append(request)

    @override
    def prefer(self, id: str) -> None:
        self._scheduler.waiting.prefer(id)

    @override
    @torch.inference_mode()
    def cancel(self, id: str) -> bool:
        return self._scheduler.cancel(id)

    @override
    @torch.inference_mode()
    def close(self) -> None:
        self._scheduler.close()

    @override
    @torch.inference_mode()
    def step(self) -> Iterator[DecoderEvent]:
        """Admit requests and compute their prompts, which gives their first tokens; then one token for every row."""
        try:
            for forward in (self._admit, self._forward):
                rows, logits = forward()
                yield from (Started(row.twin.request.id) for row in rows if row.token is None)
                for row, choices, p, scores in self._select(rows, logits):
                    yield from self._apply(row, choices, p, scores)
                    yield from self._release(row, choices)
            return
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            if self._scheduler.max_rows == 1:
                raise EngineError(_NO_MEMORY) from error
        # Outside of the handler: the error's traceback keeps the tensors of the failed pass alive.
        yield self._preempt_all()

    def _admit(self) -> tuple[list[Row], torch.Tensor | None]:
        """One pass over the prompts of the next requests: their rows, and the logits that follow the prompts."""
        scheduler = self._scheduler
        scheduler.resume_forks()
        prompts, most = scheduler.next_prompts(), scheduler.admissible
        if not prompts or not most:
            return [], None
        logits = scheduler.batch.prefill(prompts, most, len(scheduler.rows))
        return ([], None) if logits is None else (scheduler.admit(len(logits), self._start), logits)

    def _forward(self) -> tuple[list[Row], torch.Tensor | None]:
        """One pass that appends its token to every row: the rows, and the logits that follow."""
        rows = self._scheduler.rows[:]  # as they are now: forks and releases move them while the pass is evaluated
        if not rows:
            return [], None
        tokens = torch.tensor([row.token for row in rows], device=self._model.device)
        logits = self._scheduler.batch.step(tokens, [row.length for row in rows])
        for row in rows:
            row.length += 1
        return rows, logits

    def _start(self, request: Request) -> Twin:
        # Both arms draw from one generator, so that they draw the same as long as they decode in step.
        generator = self._sampler.generator(request.seed)
        think = request.think
        max_tokens = self._max_new_tokens + (think.budget + len(think.close_ids) if think else 0)
        arms: dict[Arm, ArmState] = {
            arm: ArmState(
                TextStream(self._model.tokenizer), generator, max_tokens, thinking=Thinking(think) if think else None
            )
            for arm in (ARMS if request.grammar else ARMS[:1])
        }
        if request.grammar and not think:
            arms["constrained"].grammar_state = request.grammar.start(request.prefill)
        return Twin(request, arms, len(request.prefill), time.perf_counter())

    def _select(
        self, rows: list[Row], logits: torch.Tensor | None
    ) -> Iterable[tuple[Row, Choices, Mapping[Arm, float], torch.Tensor]]:
        """Each row with the next token of each of its arms, how probable those are, and its logits `[vocabulary]`."""
        if logits is None:
            return ()
        choices = self._selector.select(rows, logits)
        return zip(rows, choices, probabilities(logits, choices), logits, strict=True)

    def _apply(
        self, row: Row, choices: Choices, p: Mapping[Arm, float], logits: torch.Tensor
    ) -> Iterator[DecoderEvent]:
        """Append each arm's token to it; where the two differ for the first time, explain the fork."""
        twin, agree = row.twin, len(row.arms) == 2 and not choices["constrained"].error
        if agree and choices["free"].token != choices["constrained"].token:
            twin.fork = self._explainer.explain(twin, choices, logits)
            self._scheduler.record_fork()
            yield ArmsForked(twin.request.id, twin.fork)
            agree = False
        texts: dict[Arm | Literal["both"], str | None] = {
            arm: self._push(twin, arm, choice, p[arm], agree) for arm, choice in choices.items()
        }
        if agree:
            twin.chars += len(texts["free"] or "")
            texts = {"both": texts["free"]}
        yield from (TokenAdded(twin.request.id, arm, text) for arm, text in texts.items() if text is not None)

    def _push(self, twin: Twin, name: Arm, choice: Choice, p: float, agree: bool) -> str | None:
        """Append a token to an arm; the new text, or None when the token was the end of the reply. p: the token's."""
        arm, grammar = twin.arms[name], twin.request.grammar
        arm.error = choice.error
        if arm.error or choice.token in self._model.stop_ids:
            self._finish(twin, arm, "stop")
            return None
        arm.tokens.append(choice.token)
        arm.grammar_state = choice.state
        text = arm.stream.push(choice.token)
        arm.p.append(p)
        arm.ends.append((arm.ends[-1] if arm.ends else len(twin.request.prefill)) + len(text))
        if arm.thinking:
            self._think(arm, text, grammar if name == "constrained" else None)
        if len(arm.tokens) == arm.max_tokens:
            self._finish(twin, arm, "length")
        elif arm.grammar_state is not None and not agree and grammar and self._masks.ends(grammar, arm.grammar_state):
            # Only a stop token can follow, so no pass is needed for it. (An arm that agrees stays in the other's row.)
            self._finish(twin, arm, "stop")
        return text

    def _think(self, arm: ArmState, text: str, grammar: Grammar | None) -> None:
        """Let an arm continue to think, or begin its answer, with its full number of tokens."""
        assert arm.thinking is not None
        answer = arm.thinking.push(text)
        if answer is None:
            return
        arm.thinking, arm.max_tokens = None, len(arm.tokens) + self._max_new_tokens
        if grammar is None:
            return
        try:
            arm.grammar_state = grammar.start(answer.lstrip())
        except GrammarError:  # the token that closed the tag continued with something else
            arm.grammar_state = grammar.start()

    def _finish(self, twin: Twin, arm: ArmState, why: Literal["stop", "length"]) -> None:
        arm.finish, arm.seconds = why, time.perf_counter() - twin.started

    def _release(self, row: Row, choices: Choices) -> Iterator[Finished]:
        """Keep the arms that took one token in the row, fork one that took another; free the row when none is left."""
        twin = row.twin
        running = [arm for arm in row.arms if twin.arms[arm].finish is None]
        if running:
            row.token = choices[running[0]].token
            row.arms = tuple(arm for arm in running if choices[arm].token == row.token)
            for arm in running[len(row.arms) :]:
                self._scheduler.fork(row, arm, choices[arm].token)
        else:
            self._scheduler.release(row)
        if twin.done:
            self._scheduler.finish(twin)
            yield self._result(twin)

    def _preempt_all(self) -> BatchHalved:
        """Restart the jobs in flight, with half as many rows."""
        jobs = self._scheduler.preempt_all()
        if self._model.device.type == "cuda":
            torch.cuda.empty_cache()
        try:
            self._scheduler.batch = self._make_batch(self._scheduler.max_rows)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            raise EngineError(_NO_SMALLER_BATCH) from error
        return BatchHalved(self._scheduler.max_rows, jobs)

    def _result(self, twin: Twin) -> Finished:
        results = {name: self._arm_result(twin, arm) for name, arm in twin.arms.items() if not arm.error}
        error = next((arm.error for arm in twin.arms.values() if arm.error), None)
        return Finished(twin.request.id, results["free"], results.get("constrained"), twin.fork, error)

    def _arm_result(self, twin: Twin, arm: ArmState) -> ArmResult:
        assert arm.finish is not None
        text = twin.request.prefill + decode(self._model.tokenizer, arm.tokens)
        ends = (*arm.ends[:-1], len(text)) if arm.ends else ()  # half a character at the end becomes U+FFFD
        return ArmResult(text, tuple(arm.tokens), arm.finish, arm.seconds, tuple(arm.p), ends)
