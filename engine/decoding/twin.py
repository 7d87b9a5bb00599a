"""The twin-row loop: every job decoded free and constrained, in one row until the two choose differently.

Both choices are taken from the same logits, the constrained one under the grammar's mask and with the same random draw.
While they agree one row serves both arms; when they differ the row forks: its KV is copied and each arm goes on alone.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch

from engine.decoding.grammar import Grammar
from engine.decoding.masks import MaskTable
from engine.decoding.model import LoadedModel
from engine.decoding.rows import Rows
from engine.decoding.sampling import Sampler, SamplingParams
from engine.decoding.text import TextStream, decode
from engine.records import ARMS, Arm, Candidate, Fork

_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class Request:
    """One job for the decoder. `tokens` is the whole prompt, the prefilled beginning of the reply included.

    grammar None: the free arm alone.
    """

    id: str
    tokens: Sequence[int]
    prefill: str
    seed: int
    grammar: Grammar | None


@dataclass(slots=True, eq=False)
class Lane:
    """What one arm of one job has become so far. `state` is the grammar's, in the constrained arm."""

    stream: TextStream
    state: int | None = None
    tokens: list[int] = field(default_factory=list)
    finish: Literal["stop", "length"] | None = None
    seconds: float = 0.0


@dataclass(slots=True, eq=False)
class Twin:
    """A job in flight: its lanes, its source of randomness, and where the arms parted."""

    request: Request
    lanes: dict[Arm, Lane]
    generator: torch.Generator | None
    chars: int
    started: float
    fork: Fork | None = None

    @property
    def done(self) -> bool:
        """Whether every arm has ended."""
        return all(lane.finish for lane in self.lanes.values())


@dataclass(slots=True, eq=False)
class Row:
    """One row of the batch: the arms it still serves and the token it will be given next."""

    twin: Twin
    arms: tuple[Arm, ...]
    token: int = -1


@dataclass(frozen=True, slots=True)
class Begun:
    """A request got its row."""

    id: str


@dataclass(frozen=True, slots=True)
class Grown:
    """An arm, or both while they agree, took one token that is part of the reply."""

    id: str
    arm: Arm | Literal["both"]
    text: str


@dataclass(frozen=True, slots=True)
class Parted:
    """The arms chose differently."""

    id: str
    fork: Fork


@dataclass(frozen=True, slots=True)
class LaneResult:
    """A finished arm: its whole text (prefill included), its tokens without the stop token, why it ended.

    seconds: from the job's admission to the arm's last token.
    """

    text: str
    tokens: tuple[int, ...]
    finish: Literal["stop", "length"]
    seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """Both arms are done. `constrained` is None where the request had no grammar."""

    id: str
    free: LaneResult
    constrained: LaneResult | None
    fork: Fork | None


Happening = Begun | Grown | Parted | Ended


class TwinDecoder:
    """Decodes requests in the order they were submitted, as many at once as `slots` rows hold.

    Call `step` until `busy` is false. A job holds one row, and keeps a second one reserved until its arms have parted.
    """

    def __init__(self, model: LoadedModel, rows: Rows, slots: int, params: SamplingParams, max_new_tokens: int) -> None:
        if slots < 2:
            raise ValueError("a job needs two rows")
        self._model, self._cache, self._slots, self._max_new_tokens = model, rows, slots, max_new_tokens
        self._sampler = Sampler(params, model.device)
        self._vocabulary_size: int = model.model.config.get_text_config().vocab_size
        self._masks = MaskTable(self._vocabulary_size, model.device)
        self._waiting: deque[Request] = deque()
        self._rows: list[Row] = []
        self._twins: dict[str, Twin] = {}

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

    @torch.inference_mode()
    def step(self) -> Iterator[Happening]:
        """Admit the next request if it fits, then decode one token in every row. Yields what happened, in order."""
        if self._waiting and self._reserved() + 2 <= self._slots:
            yield from self._admit(self._waiting.popleft())
        if self._rows:
            tokens = torch.tensor([row.token for row in self._rows], device=self._model.device)
            yield from self._choose(self._rows[:], self._cache.step(tokens))

    def _reserved(self) -> int:
        return sum(len(row.arms) for row in self._rows)

    def _admit(self, request: Request) -> Iterator[Happening]:
        arms = ARMS if request.grammar else ARMS[:1]
        lanes = {arm: Lane(TextStream(self._model.tokenizer)) for arm in arms}
        if request.grammar:
            lanes["constrained"].state = request.grammar.start(request.prefill)
        generator = self._sampler.generator(request.seed)
        twin = self._twins[request.id] = Twin(request, lanes, generator, len(request.prefill), time.perf_counter())
        row = Row(twin, arms)
        logits = self._cache.prefill(request.tokens)
        self._rows.append(row)
        yield Begun(request.id)
        yield from self._choose([row], logits)

    def _choose(self, rows: list[Row], logits: torch.Tensor) -> Iterator[Happening]:
        """Take each arm's next token from the logits of its row, `[rows, vocabulary]`."""
        race = self._race(rows)
        masked_rows = [number for number, row in enumerate(rows) if "constrained" in row.arms]
        free = self._sampler.choose(logits, race)
        if masked_rows:
            allowed = self._masks.gather([self._mask_row(rows[number].twin) for number in masked_rows])
            scores = logits[masked_rows].masked_fill(~allowed, -torch.inf)
            constrained = self._sampler.choose(scores, None if race is None else race[masked_rows])
            chosen = torch.cat([free, constrained]).tolist()
        else:
            chosen = free.tolist()
        constrained_of = dict(zip(masked_rows, chosen[len(rows) :], strict=True))
        for number, row in enumerate(rows):
            choice = {arm: chosen[number] if arm == "free" else constrained_of[number] for arm in row.arms}
            yield from self._advance(row, choice, logits[number])

    def _race(self, rows: list[Row]) -> torch.Tensor | None:
        """One draw a job and step, the same for both of its arms, whether they share a row or not."""
        twins = list({id(row.twin): row.twin for row in rows}.values())
        draws = self._sampler.draw([twin.generator for twin in twins], self._vocabulary_size)
        if draws is None or len(twins) == len(rows):
            return draws
        number = {id(twin): place for place, twin in enumerate(twins)}
        return draws[[number[id(row.twin)] for row in rows]]

    def _mask_row(self, twin: Twin) -> int:
        state, grammar = twin.lanes["constrained"].state, twin.request.grammar
        assert state is not None
        assert grammar is not None
        return self._masks.row_of(grammar, state)

    def _advance(self, row: Row, choice: dict[Arm, int], logits: torch.Tensor) -> Iterator[Happening]:
        """Give each arm of a row its token; fork the row where they differ; drop it when nothing is left to decode."""
        twin, shared = row.twin, len(row.arms) == 2
        if shared and choice["free"] != choice["constrained"]:
            twin.fork = self._explain(twin, choice, logits)
            yield Parted(twin.request.id, twin.fork)
            shared = False
        texts = {arm: self._push(twin, arm, token) for arm, token in choice.items()}
        if shared:
            yield from self._grown(twin, "both", texts["free"])
        else:
            for arm, text in texts.items():
                yield from self._grown(twin, arm, text)
        self._place(row, choice, shared)
        if twin.done and twin.request.id in self._twins:
            del self._twins[twin.request.id]
            yield self._ended(twin)

    def _push(self, twin: Twin, arm: Arm, token: int) -> str | None:
        """Append a token to an arm; the new text, or None when the token was the end of the reply."""
        lane, grammar = twin.lanes[arm], twin.request.grammar
        if token in self._model.stop_ids:
            self._finish(twin, lane, "stop")
            return None
        lane.tokens.append(token)
        if arm == "constrained":
            assert grammar is not None
            assert lane.state is not None
            lane.state = grammar.advance(lane.state, token)
            assert lane.state is not None, "the mask allowed a token that the grammar does not"
        if len(lane.tokens) == self._max_new_tokens:
            self._finish(twin, lane, "length")
        return lane.stream.push(token)

    def _grown(self, twin: Twin, arm: Arm | Literal["both"], text: str | None) -> Iterator[Happening]:
        if text is None:
            return
        if arm == "both":
            twin.chars += len(text)
        yield Grown(twin.request.id, arm, text)

    def _finish(self, twin: Twin, lane: Lane, why: Literal["stop", "length"]) -> None:
        lane.finish, lane.seconds = why, time.perf_counter() - twin.started

    def _place(self, row: Row, choice: dict[Arm, int], shared: bool) -> None:
        """Decide which rows go on: one for both arms, one for each, or none."""
        going = [arm for arm in row.arms if row.twin.lanes[arm].finish is None]
        number = self._rows.index(row)
        if not going:
            self._cache.drop(number)
            self._rows[number] = self._rows[-1]
            self._rows.pop()
        elif shared:
            row.token = choice["free"]
        else:
            row.arms, row.token = (going[0],), choice[going[0]]
            for arm in going[1:]:
                self._cache.fork(number)
                self._rows.append(Row(row.twin, (arm,), choice[arm]))

    def _explain(self, twin: Twin, choice: dict[Arm, int], logits: torch.Tensor) -> Fork:
        """What the model wanted, what the grammar allowed, and how much probability the mask threw away."""
        p = logits.softmax(dim=-1)
        allowed = self._masks.gather([self._mask_row(twin)])[0]
        return Fork(
            token=len(twin.lanes["free"].tokens),
            char=twin.chars,
            wanted=self._candidates(p, choice["free"]),
            allowed=self._candidates(p * allowed, choice["constrained"]),
            allowed_mass=min(1.0, p[allowed].sum().item()),
        )

    def _candidates(self, p: torch.Tensor, chosen: int) -> tuple[Candidate, ...]:
        top = torch.topk(p, _CANDIDATES)
        best = [token for token, weight in zip(top.indices.tolist(), top.values.tolist(), strict=True) if weight > 0]
        order = [chosen, *[token for token in best if token != chosen]][:_CANDIDATES]
        weights = p[order].tolist()
        return tuple(
            Candidate(decode(self._model.tokenizer, [token]), token, weight)
            for token, weight in zip(order, weights, strict=True)
        )

    def _ended(self, twin: Twin) -> Ended:
        results = {arm: self._result(twin, lane) for arm, lane in twin.lanes.items()}
        return Ended(twin.request.id, results["free"], results.get("constrained"), twin.fork)

    def _result(self, twin: Twin, lane: Lane) -> LaneResult:
        assert lane.finish is not None
        text = twin.request.prefill + decode(self._model.tokenizer, lane.tokens)
        return LaneResult(text, tuple(lane.tokens), lane.finish, lane.seconds)
