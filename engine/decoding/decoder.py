"""The twin-row loop: every job decoded free and constrained, in one row until the two choose differently.

Both choices are taken from the same logits, the constrained one under the grammar's mask and with the same random draw.
While they agree one row serves both arms; when they differ the row forks: its KV is copied and each arm goes on alone.
Rows leave the batch as soon as they are done, and waiting jobs take their place.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Literal

import torch

from engine.backends import (
    ArmResult,
    ArmsForked,
    BatchHalved,
    DecoderEvent,
    Finished,
    GrammarError,
    Started,
    TokenAdded,
)
from engine.decoding.batch import Rows
from engine.decoding.detokenizer import TextStream, decode
from engine.decoding.forks import Explainer
from engine.decoding.masks import MaskTable
from engine.decoding.sampling import Sampler, SamplingParams
from engine.decoding.selection import Choice, Choices, Chooser, probabilities
from engine.decoding.thinking import Thinking
from engine.decoding.twins import ArmState, Request, Row, Twin, WaitingFork
from engine.grammars.grammar import Grammar
from engine.models.model import LoadedModel
from engine.models.placement import out_of_memory
from engine.records import ARMS, Arm

_LOOK_AHEAD = 64  # waiting prompts among which shared beginnings are looked for


class TwinDecoder:
    """Decodes requests in the order they were submitted, as many at once as there are rows.

    Call `step` until `busy` is false. `make_rows(slots)` gives empty rows; it is called again, with fewer slots, when
    memory runs out.
    """

    def __init__(
        self,
        model: LoadedModel,
        make_rows: Callable[[int], Rows],
        slots: int,
        params: SamplingParams,
        max_new_tokens: int,
    ) -> None:
        self._model, self._make_rows, self._slots, self._max_new_tokens = model, make_rows, slots, max_new_tokens
        self._sampler = Sampler(params, model.device)
        vocabulary_size: int = model.model.config.get_text_config().vocab_size
        self._masks = MaskTable(vocabulary_size, model.device, model.stop_ids)
        self._chooser = Chooser(self._sampler, self._masks, model.stop_ids)
        self._explainer = Explainer(model.tokenizer, self._masks)
        self._waiting: deque[Request] = deque()
        self._twins: dict[str, Twin] = {}
        self._kv = make_rows(slots)
        self._rows: list[Row] = []  # in the order of the KV's
        self._parked: deque[WaitingFork] = deque()
        self._parted = self._undivided = 0  # jobs so far that forked, and that ended without

    @property
    def busy(self) -> bool:
        """Whether anything waits or runs."""
        return bool(self._waiting or self._rows)

    @property
    def in_flight(self) -> int:
        """Jobs that hold a row."""
        return len(self._twins)

    def submit(self, request: Request) -> None:
        """Put a request at the end of the queue. Its grammar must allow its prefill."""
        self._waiting.append(request)

    def prefer(self, id: str) -> None:
        """Move a request that waits to the front of the queue."""
        for request in [request for request in self._waiting if request.id == id]:
            self._waiting.remove(request)
            self._waiting.appendleft(request)

    @torch.inference_mode()
    def cancel(self, id: str) -> bool:
        """Drop a request, whether it waits or runs; False if it does neither."""
        for request in [request for request in self._waiting if request.id == id]:
            self._waiting.remove(request)
            return True
        twin = self._twins.pop(id, None)
        if twin is None:
            return False
        self._parked = deque(parked for parked in self._parked if parked.row.twin is not twin)
        for row in [row for row in self._rows if row.twin is twin]:
            self._drop(row)
        return True

    def close(self) -> None:
        """Drop all requests, with the memory that they hold."""
        for id in [*self._twins, *(request.id for request in self._waiting)]:
            self.cancel(id)

    @torch.inference_mode()
    def step(self) -> Iterator[DecoderEvent]:
        """Begin waiting requests as far as there are rows, then decode one token in each. Yields what happened.

        Raises torch.OutOfMemoryError or RuntimeError when the memory does not even hold one row.
        """
        try:
            self._unpark()
            yield from self._begin()
            if self._rows:
                tokens = torch.tensor([row.token for row in self._rows], device=self._model.device)
                yield from self._choose(self._rows[:], self._kv.step(tokens))
            return
        except RuntimeError as error:
            if not out_of_memory(error) or self._slots == 1:
                raise
        yield self._shrink()

    def _begin(self) -> Iterator[DecoderEvent]:
        """One pass over the prompts of the next requests. They get their rows, and their first tokens."""
        openings = self._openings()
        if not self._waiting or not openings:
            return
        prompts = [request.tokens for request in islice(self._waiting, _LOOK_AHEAD)]
        logits = self._kv.prefill(prompts, openings)
        if logits is None:
            return
        twins = [self._twin(self._waiting.popleft()) for _ in range(len(logits))]
        rows = [Row(twin, tuple(twin.lanes)) for twin in twins]
        yield from (Started(twin.request.id) for twin in twins)
        self._rows += rows
        yield from self._choose(rows, logits)

    def _openings(self) -> int:
        """How many jobs may begin now, rows kept free for the forks to be expected.

        Taking a row that a fork then misses costs no work, but one arm has to wait for the other (see Parked), and the
        user wants to see them side by side.
        """
        if self._kv.underway:
            return 1
        share = (self._parted + 1) / (self._parted + self._undivided + 1)
        undivided = sum(len(row.arms) == 2 for row in self._rows)
        openings = int((self._kv.room - len(self._parked) - share * undivided) / (1 + share))
        return openings if self._twins else max(1, openings)

    def _twin(self, request: Request) -> Twin:
        generator = self._sampler.generator(request.seed)
        arms = ARMS if request.grammar else ARMS[:1]
        limit = self._max_new_tokens + (request.think.budget + len(request.think.close_ids) if request.think else 0)
        lanes = {arm: ArmState(TextStream(self._model.tokenizer), generator, limit) for arm in arms}
        for lane in lanes.values():
            lane.thinking = Thinking(request.think) if request.think else None
        if request.grammar and not request.think:
            lanes["constrained"].state = request.grammar.start(request.prefill)
        twin = self._twins[request.id] = Twin(request, lanes, len(request.prefill), time.perf_counter())
        return twin

    def _choose(self, rows: list[Row], logits: torch.Tensor) -> Iterator[DecoderEvent]:
        """Take each arm's next token from the logits of its row, `[rows, vocabulary]`."""
        taken = self._chooser.choose(rows, logits)
        for row, choices, p, scores in zip(rows, taken, probabilities(logits, taken), logits, strict=True):
            yield from self._advance(row, choices, p, scores)

    def _advance(
        self, row: Row, choices: Choices, p: Mapping[Arm, float], logits: torch.Tensor
    ) -> Iterator[DecoderEvent]:
        """Give each arm of a row its token; fork the row where they differ; drop it when nothing is left to decode."""
        twin, shared = row.twin, len(row.arms) == 2
        if shared and choices["constrained"].error:
            shared = False
        elif shared and choices["free"].token != choices["constrained"].token:
            twin.fork = self._explainer.explain(twin, choices, logits)
            self._parted += 1
            yield ArmsForked(twin.request.id, twin.fork)
            shared = False
        texts = {arm: self._push(twin, arm, choice, p[arm], shared) for arm, choice in choices.items()}
        if shared:
            yield from self._grown(twin, "both", texts["free"])
        else:
            for arm, text in texts.items():
                yield from self._grown(twin, arm, text)
        self._place(row, choices, shared)
        if twin.done:
            del self._twins[twin.request.id]
            self._undivided += twin.fork is None
            yield self._ended(twin)

    def _push(self, twin: Twin, arm: Arm, choice: Choice, p: float, shared: bool) -> str | None:
        """Append a token to an arm; the new text, or None when the token was the end of the reply. p: the token's."""
        lane, grammar = twin.lanes[arm], twin.request.grammar
        lane.error = choice.error
        if lane.error or choice.token in self._model.stop_ids:
            self._finish(twin, lane, "stop")
            return None
        lane.tokens.append(choice.token)
        lane.state = choice.state
        text = lane.stream.push(choice.token)
        lane.p.append(p)
        lane.ends.append((lane.ends[-1] if lane.ends else len(twin.request.prefill)) + len(text))
        if lane.thinking:
            self._think(lane, text, grammar if arm == "constrained" else None)
        if len(lane.tokens) == lane.limit:
            self._finish(twin, lane, "length")
        elif lane.state is not None and not shared and grammar and self._masks.ends(grammar, lane.state):
            self._finish(twin, lane, "stop")  # the only choice left; no pass is needed for it
        return text

    def _think(self, lane: ArmState, text: str, grammar: Grammar | None) -> None:
        """Let an arm go on thinking, or begin its answer, with its whole number of tokens."""
        assert lane.thinking is not None
        answer = lane.thinking.push(text)
        if answer is None:
            return
        lane.thinking, lane.limit = None, len(lane.tokens) + self._max_new_tokens
        if grammar is None:
            return
        try:
            lane.state = grammar.start(answer.lstrip())
        except GrammarError:  # the token that closed the tag went on with something else
            lane.state = grammar.start()

    def _grown(self, twin: Twin, arm: Arm | Literal["both"], text: str | None) -> Iterator[DecoderEvent]:
        if text is None:
            return
        if arm == "both":
            twin.chars += len(text)
        yield TokenAdded(twin.request.id, arm, text)

    def _finish(self, twin: Twin, lane: ArmState, why: Literal["stop", "length"]) -> None:
        lane.finish, lane.seconds = why, time.perf_counter() - twin.started

    def _place(self, row: Row, choices: Choices, shared: bool) -> None:
        """Decide which rows go on: one for both arms, one for each, or none."""
        going = [arm for arm in row.arms if row.twin.lanes[arm].finish is None]
        if not going:
            self._drop(row)
        elif shared:
            row.token = choices["free"].token
        else:
            row.arms, row.token = (going[0],), choices[going[0]].token
            for arm in going[1:]:
                self._fork(row, arm, choices[arm].token)

    def _fork(self, source: Row, arm: Arm, token: int) -> None:
        """Give an arm a row of its own, or have it wait for one, with its own copy of the draws to come."""
        parked = WaitingFork(Row(source.twin, (arm,), token), source, self._kv.lengths[self._rows.index(source)])
        if self._kv.room:
            self._copy(parked)
            return
        lane = source.twin.lanes[arm]
        lane.generator = lane.generator and lane.generator.clone_state()
        self._parked.append(parked)

    def _unpark(self) -> None:
        while self._parked and self._kv.room:
            self._copy(self._parked.popleft())

    def _copy(self, parked: WaitingFork) -> None:
        self._kv.fork(self._rows.index(parked.source), parked.length)
        self._rows.append(parked.row)

    def _drop(self, row: Row) -> None:
        """Free a row, or leave it to the arm that waits for it."""
        number = self._rows.index(row)
        for parked in [parked for parked in self._parked if parked.source is row]:
            self._parked.remove(parked)
            self._kv.rewind(number, parked.length)
            self._rows[number] = parked.row
            return
        self._kv.drop(number)
        self._rows[number] = self._rows[-1]
        self._rows.pop()

    def _shrink(self) -> BatchHalved:
        """Start the jobs in flight again, with half as many rows."""
        requests = [twin.request for twin in self._twins.values()]
        self._waiting.extendleft(reversed(requests))
        self._slots = max(1, (len(self._rows) or self._slots) // 2)
        self._twins.clear()
        self._rows.clear()
        self._parked.clear()
        del self._kv  # before the new ones are made
        if self._model.device.type == "cuda":
            torch.cuda.empty_cache()
        self._kv = self._make_rows(self._slots)
        return BatchHalved(self._slots, len(requests))

    def _ended(self, twin: Twin) -> Finished:
        results = {arm: self._result(twin, lane) for arm, lane in twin.lanes.items() if not lane.error}
        error = next((lane.error for lane in twin.lanes.values() if lane.error), None)
        return Finished(twin.request.id, results["free"], results.get("constrained"), twin.fork, error)

    def _result(self, twin: Twin, lane: ArmState) -> ArmResult:
        assert lane.finish is not None
        text = twin.request.prefill + decode(self._model.tokenizer, lane.tokens)
        ends = (*lane.ends[:-1], len(text)) if lane.ends else ()  # half a character at the end becomes U+FFFD
        return ArmResult(text, tuple(lane.tokens), lane.finish, lane.seconds, tuple(lane.p), ends)
