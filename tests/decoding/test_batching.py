"""The continuous batch: whatever shares it, in whatever order and however crowded, each reply is what it is alone.

On a tiny random model, where a reply costs milliseconds; test_decoder.py has the real one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM

from engine.backends import BatchHalved, Finished, GrammarError, Started, TokenAdded, Unenforced
from engine.decoding.backend import LocalBackend
from engine.decoding.batch import SlotBatch
from engine.decoding.cuda_graphs import Pass
from engine.decoding.decoder import TwinDecoder
from engine.decoding.detokenizer import decode
from engine.decoding.prefix_cache import PrefillPlan, plan_prefill
from engine.decoding.sampling import SamplingParams
from engine.decoding.thinking import Think, Thinking
from engine.decoding.twins import Request
from engine.errors import EngineError
from engine.grammars.grammar import Backend, Grammar, State
from engine.models.model import LoadedModel
from tests.decoding.reference import free_of, generate
from tests.helpers.tiny_models import STOP, llama, loaded

MAX_NEW_TOKENS = 20
GREEDY, SAMPLED = SamplingParams(), SamplingParams(temperature=1.0)
TRIMMED = SamplingParams(temperature=0.9, top_p=0.9, top_k=40)
OBJECT = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["a", "b"]}
LIST = {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 3}
SYSTEM = "You are a careful clerk who extracts what is asked for. "
TEXTS = [f"{SYSTEM}{text}" for text in ("Ann is 3", "Ann is 31", "Bob, 4", "x", "Carl and his dog Rex are 9", "Dee 5")]


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    torch.manual_seed(1)
    return loaded(llama())


@pytest.fixture(scope="module")
def grammars(model: LoadedModel) -> list[Grammar]:
    backend = LocalBackend(model)
    schemas: list[tuple[dict[str, Any], Backend]] = [
        (OBJECT, "outlines_core"),
        (LIST, "outlines_core"),
        (OBJECT, "llguidance"),
    ]
    return [backend.grammar(schema, 60, lambda event: None, kind) for schema, kind in schemas]


class Anything:
    """A grammar that allows every token at any time: under it the arms agree."""

    backend: Backend = "outlines_core"
    unenforced: tuple[Unenforced, ...] = ()

    def start(self, prefill: str = "") -> State:
        return 0

    def advance(self, state: State, token: int) -> State | None:
        return 0

    def allowed(self, state: State) -> list[int]:
        return list(range(257))

    def mask_key(self, state: State) -> Hashable:
        return self


def request(model: LoadedModel, number: int, text: str, grammar: Grammar | None) -> Request:
    return Request(str(number), model.tokenizer(text)["input_ids"], "", number, grammar)


def mixed(model: LoadedModel, grammars: list[Grammar]) -> list[Request]:
    """Two schemas, two libraries, and jobs without either."""
    kinds = [*grammars, None]
    return [request(model, number, text, kinds[number % 4]) for number, text in enumerate([*TEXTS, *TEXTS])]


def decoder(
    model: LoadedModel,
    requests: list[Request],
    params: SamplingParams,
    slots: int,
    max_prefill_tokens: int = 64,
    make_batch: Any = None,
) -> TwinDecoder:
    plain = partial(SlotBatch, model, max_seq_len=150, max_prefill_tokens=max_prefill_tokens)
    made = TwinDecoder(model, make_batch or plain, slots, params, MAX_NEW_TOKENS)
    for one in requests:
        made.submit(one)
    return made


def ended(decoder: TwinDecoder) -> dict[str, Finished]:
    results: dict[str, Finished] = {}
    while decoder.busy:
        results |= {event.id: event for event in decoder.step() if isinstance(event, Finished)}
    assert decoder.in_flight == 0
    return results


@pytest.fixture(scope="module")
def alone(model: LoadedModel, grammars: list[Grammar]) -> dict[tuple[str, SamplingParams, bool], list[int]]:
    return {
        (one.id, params, masked): generate(model, one, params, MAX_NEW_TOKENS, masked).tokens
        for one in mixed(model, grammars)
        for params in (GREEDY, SAMPLED, TRIMMED)
        for masked in (False, True)
        if one.grammar or not masked
    }


@pytest.mark.parametrize("params", [GREEDY, SAMPLED, TRIMMED], ids=["greedy", "sampled", "trimmed"])
@pytest.mark.parametrize(("slots", "max_prefill_tokens"), [(1, 7), (2, 64), (3, 16), (5, 500), (64, 64)])
def test_every_reply_is_what_it_is_alone(
    model: LoadedModel,
    grammars: list[Grammar],
    alone: dict[tuple[str, SamplingParams, bool], list[int]],
    params: SamplingParams,
    slots: int,
    max_prefill_tokens: int,
) -> None:
    """One row: an arm that parts waits for the other's. Seven tokens a pass: every prompt takes several."""
    for id, end in ended(decoder(model, mixed(model, grammars), params, slots, max_prefill_tokens)).items():
        assert list(free_of(end).tokens) == alone[id, params, False], id
        assert (end.constrained is None) == (int(id) % 4 == 3)
        if end.constrained:
            assert list(end.constrained.tokens) == alone[id, params, True], id
            assert end.fork is not None


@pytest.mark.parametrize("slots", [3, 48])
def test_a_step_of_fixed_shape_decodes_the_same(
    model: LoadedModel, grammars: list[Grammar], alone: dict[tuple[str, SamplingParams, bool], list[int]], slots: int
) -> None:
    """What a CUDA graph would hold, padded to its buckets, each pass made once; test_gpu.py captures it for real."""
    captured: list[Pass] = []

    def capture(run: Pass) -> Pass:
        captured.append(run)
        return run

    make_batch = partial(SlotBatch, model, max_seq_len=150, max_prefill_tokens=64, graphs=capture)
    for id, end in ended(decoder(model, mixed(model, grammars), GREEDY, slots, make_batch=make_batch)).items():
        assert list(free_of(end).tokens) == alone[id, GREEDY, False], id
        if end.constrained:
            assert list(end.constrained.tokens) == alone[id, GREEDY, True], id
    assert 1 <= len(captured) <= 6, "one for each bucket that occurred"


def test_a_pass_that_cannot_be_captured_runs_as_it_is(model: LoadedModel, grammars: list[Grammar]) -> None:
    def capture(run: Pass) -> Pass:
        raise RuntimeError("operation not permitted when stream is capturing")

    requests = mixed(model, grammars)
    make_batch = partial(SlotBatch, model, max_seq_len=150, max_prefill_tokens=64, graphs=capture)
    plain, other = (ended(decoder(model, requests, GREEDY, 16, make_batch=made)) for made in (None, make_batch))
    assert {id: free_of(end).tokens for id, end in plain.items()} == {
        id: free_of(end).tokens for id, end in other.items()
    }


def test_what_prompts_share_is_computed_once(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [request(model, number, text, None) for number, text in enumerate([*TEXTS, TEXTS[-1]])]
    columns: list[tuple[int, int]] = []
    forward = LlamaForCausalLM.forward

    def counted(self: Any, input_ids: torch.Tensor, **options: Any) -> Any:
        rows, width = input_ids.shape
        columns.append((rows, width))
        return forward(self, input_ids=input_ids, **options)

    monkeypatch.setattr(LlamaForCausalLM, "forward", counted)
    ended(decoder(model, requests, GREEDY, slots=16, max_prefill_tokens=200))
    first, others = columns[0], columns[1]
    assert first == (1, len(TEXTS[0])), "the first prompt goes alone: the next ones share its beginning"
    assert others[0] == 1, "the second is decoded meanwhile"
    batch = columns[2]
    assert batch[0] == 6, "all others in one pass"
    assert batch[1] == max(len(text) for text in TEXTS) - len(SYSTEM), "without the beginning they share"


def test_looking_ahead() -> None:
    shared, other = list(range(100)), list(range(500, 560))
    one, two, three = [*shared, 1], [*shared, 2, 3], [*shared, 4, 5, 6]
    assert plan_prefill([one, two, three], 8, (), 64) == PrefillPlan(1, 100)
    assert plan_prefill([two, three], 8, shared, 64) == PrefillPlan(2, 0)
    assert plan_prefill([two, three], 1, shared, 64) == PrefillPlan(1, 0)
    assert plan_prefill([two, three, [*other, 1], [*other, 2]], 8, shared, 500) == PrefillPlan(2, 0), "a new beginning"
    assert plan_prefill([[*other, 1], [*other, 2]], 8, shared, 500) == PrefillPlan(1, 60)
    assert plan_prefill([one, one], 8, (), 64) == PrefillPlan(1, 101), "a repeat shares all"
    assert plan_prefill([[1, 2], [3, 4], [5, 6]], 8, (), 4) == PrefillPlan(2, 0), "no more than max_prefill_tokens"
    assert plan_prefill([[1] * 5, [2, 3]], 8, (), 4) == PrefillPlan(1, 0)


def test_rows_are_filled_in_order_and_agreeing_jobs_take_one(model: LoadedModel) -> None:
    requests = [request(model, number, f"{number}", Anything()) for number in range(40)]
    running = decoder(model, requests, GREEDY, slots=8)
    begun: list[str] = []
    most = 0
    while running.busy:
        for event in running.step():
            if isinstance(event, Started):
                begun.append(event.id)
            elif isinstance(event, Finished):
                assert event.constrained is not None
                assert free_of(event).tokens == event.constrained.tokens
                assert event.fork is None
        most = max(most, running.in_flight)
    assert begun == [str(number) for number in range(40)]
    assert most >= 7, "hardly any row is kept for forks once jobs have shown not to need one"


@pytest.mark.parametrize("slots", [4, 6, 12])
def test_jobs_that_fork_after_many_that_did_not_fit_all_the_same(
    model: LoadedModel, grammars: list[Grammar], alone: dict[tuple[str, SamplingParams, bool], list[int]], slots: int
) -> None:
    """By then hardly a slot is left free for forks, so most of them have to wait, with more requests behind them."""
    agreeing = [request(model, 100 + number, TEXTS[number % 6], Anything()) for number in range(24)]
    results = ended(decoder(model, [*agreeing, *mixed(model, grammars)], GREEDY, slots))
    for one in mixed(model, grammars):
        free, constrained = results[one.id].free, results[one.id].constrained
        assert free is not None
        assert list(free.tokens) == alone[one.id, GREEDY, False], one.id
        if one.grammar:
            assert constrained is not None
            assert list(constrained.tokens) == alone[one.id, GREEDY, True], one.id


def test_a_preferred_job_begins_next(model: LoadedModel) -> None:
    running = decoder(model, [request(model, number, f"{number}", None) for number in range(6)], GREEDY, slots=1)
    begun = [event.id for event in running.step() if isinstance(event, Started)]
    running.prefer("4")
    running.prefer("nobody")
    while running.busy:
        begun += [event.id for event in running.step() if isinstance(event, Started)]
    assert begun == ["0", "4", "1", "2", "3", "5"]


@pytest.mark.parametrize("slots", [3, 64])
def test_cancelling_frees_the_rows_of_a_job(model: LoadedModel, grammars: list[Grammar], slots: int) -> None:
    requests = [request(model, number, text, grammars[0]) for number, text in enumerate(TEXTS)]
    expected = ended(decoder(model, requests, GREEDY, slots=64))
    running = decoder(model, requests, GREEDY, slots)
    for _ in range(3):
        list(running.step())
    before = running.in_flight
    assert running.cancel("0"), "which runs"
    assert running.cancel("5")
    assert not running.cancel("0")
    assert running.in_flight < before
    results = ended(running)
    assert set(results) == {"1", "2", "3", "4"}
    assert all(free_of(results[id]).tokens == free_of(expected[id]).tokens for id in results)


def test_a_decoder_is_closed_in_the_middle_of_a_step(model: LoadedModel, grammars: list[Grammar]) -> None:
    running = decoder(model, mixed(model, grammars), GREEDY, slots=64)
    list(running.step())
    next(iter(running.step()))  # as when a record cannot be written: no one asks for the rest of the step
    running.close()
    assert not running.busy
    assert running.in_flight == 0


class Scarce(SlotBatch):
    """Rows in a memory that holds only three of them."""

    made: list[int]

    def __init__(self, slots: int, model: LoadedModel) -> None:
        super().__init__(model, slots, max_seq_len=150, max_prefill_tokens=64)
        self.made.append(slots)

    def step(self, tokens: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        if len(tokens) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().step(tokens, lengths)


def test_the_batch_shrinks_when_memory_runs_out(model: LoadedModel, grammars: list[Grammar]) -> None:
    """A GPU that runs out of memory cannot be had on demand; everything else here is real."""
    requests = mixed(model, grammars)
    expected = ended(decoder(model, requests, SAMPLED, slots=64))
    Scarce.made = []
    running = decoder(model, requests, SAMPLED, slots=64, make_batch=partial(Scarce, model=model))
    results: dict[str, Finished] = {}
    shrunk: list[BatchHalved] = []
    texts: Counter[str] = Counter()
    while running.busy:
        for event in running.step():
            match event:
                case Started(id=id):
                    del texts[id]
                case TokenAdded(id=id, arm="free" | "both", text=text):
                    texts[id] += len(text)
                case Finished(id=id):
                    results[id] = event
                case BatchHalved():
                    shrunk.append(event)
    assert [one.slots for one in shrunk] == Scarce.made[1:]
    assert 1 <= Scarce.made[-1] <= 3
    assert all(one.jobs for one in shrunk)
    assert results.keys() == expected.keys()
    for id, end in results.items():
        assert free_of(end).tokens == free_of(expected[id]).tokens
        alone = expected[id].constrained
        assert (end.constrained and end.constrained.tokens) == (alone and alone.tokens)
        assert texts[id] == len(free_of(end).text.rstrip("\ufffd")), "what was streamed since the job began last"


def test_a_memory_that_does_not_hold_the_smaller_batch_is_an_error(model: LoadedModel) -> None:
    def make_batch(slots: int) -> Scarce:
        if Scarce.made:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return Scarce(slots, model=model)

    Scarce.made = []
    requests = [request(model, number, "a", None) for number in range(8)]
    running = decoder(model, requests, GREEDY, slots=8, make_batch=make_batch)
    with pytest.raises(EngineError, match="no longer holds even half of the batch"):
        ended(running)
    running.close()
    assert not running.busy


def test_a_memory_that_holds_nothing_is_an_error(model: LoadedModel) -> None:
    class Nothing(Scarce):
        def step(self, tokens: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    Nothing.made = []
    running = decoder(model, [request(model, 0, "a", None)], GREEDY, slots=4, make_batch=partial(Nothing, model=model))
    with pytest.raises(EngineError, match=r"^The memory does not hold one job, neither its prompt nor ") as caught:
        ended(running)
    assert isinstance(caught.value.__cause__, torch.OutOfMemoryError)
    assert Nothing.made[-1] == 1


class GivesUp(Anything):
    """A grammar that comes to its limits after the seventh token, as llguidance does with some schemas."""

    def advance(self, state: State, token: int) -> State | None:
        if state == 7:
            raise GrammarError("It gave up.")
        return state + 1


def test_a_grammar_that_gives_up_costs_its_arm_only(model: LoadedModel) -> None:
    requests = [request(model, number, text, GivesUp()) for number, text in enumerate(TEXTS)]
    plain = [request(model, number, text, None) for number, text in enumerate(TEXTS)]
    expected = ended(decoder(model, plain, GREEDY, slots=8))
    for id, end in ended(decoder(model, requests, GREEDY, slots=8)).items():
        assert free_of(end).tokens == free_of(expected[id]).tokens
        assert (end.constrained, end.fork, end.error) == (None, None, "It gave up.")


CLOSE = "</t>"


def thinker(model: LoadedModel, number: int, grammar: Grammar, budget: int) -> Request:
    close_ids = model.tokenizer(CLOSE, add_special_tokens=False)["input_ids"]
    text = TEXTS[number]
    return Request(
        str(number), model.tokenizer(text)["input_ids"], "", number, grammar, Think(CLOSE, close_ids, budget)
    )


@pytest.mark.parametrize("slots", [1, 3, 32])
def test_both_arms_think_and_then_the_mask_begins(model: LoadedModel, grammars: list[Grammar], slots: int) -> None:
    """A model that never closes its thoughts: they are closed in the constrained arm, when their budget is used."""
    requests = [thinker(model, number, grammars[number % 2], 8) for number in range(6)]
    for id, end in ended(decoder(model, requests, SAMPLED, slots)).items():
        assert end.constrained is not None
        assert end.fork is not None
        assert end.fork.token == 8, "until the budget is used the arms think the same"
        assert free_of(end).tokens[:8] == end.constrained.tokens[:8]
        closed = generate(model, requests[int(id)], SAMPLED, 8 + 4 + MAX_NEW_TOKENS, masked=False)
        assert list(free_of(end).tokens) == closed.tokens, "the free arm is left alone"
        _, tag, answer = end.constrained.text.partition(CLOSE)
        assert tag
        assert len(end.constrained.tokens) <= 8 + 4 + MAX_NEW_TOKENS
        if end.constrained.finish == "stop":
            json.loads(answer)


def test_a_thought_that_closes_itself_leaves_the_whole_limit_to_the_answer(model: LoadedModel) -> None:
    think = Think(CLOSE, [1, 2, 3], 50)
    thoughts = Thinking(think)
    assert [thoughts.push(text) for text in ("I think <", "/", "t", '> {"a')] == [None, None, None, ' {"a']
    assert Thinking(think).choose(7, {STOP}) == 7
    ending = Thinking(think)
    assert [ending.choose(STOP, {STOP}), ending.choose(7, {STOP}), ending.choose(8, {STOP})] == [1, 2, 3]


def test_a_token_ends_where_the_text_is_that_it_completes(model: LoadedModel) -> None:
    """Random bytes: half of them are parts of characters, or of none."""
    requests = [request(model, number, text, None) for number, text in enumerate(TEXTS)]
    unfinished = 0
    for each in ended(decoder(model, requests, SAMPLED, slots=6)).values():
        tokens, text = free_of(each).tokens, free_of(each).text
        so_far = [decode(model.tokenizer, tokens[: count + 1]).rstrip("\ufffd") for count in range(len(tokens))]
        assert list(free_of(each).ends) == [*(len(known) for known in so_far[:-1]), len(text)]
        assert all(text.startswith(known) for known in so_far)
        unfinished += any(one == other for one, other in pairwise(free_of(each).ends))
        assert len(free_of(each).p) == len(tokens)
    assert unfinished
