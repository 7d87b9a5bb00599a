"""Each arm is what it would have been alone: the twin decoder against `model.generate`, on the real model."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from engine.backends import ArmResult, ArmsForked, Finished, Started, TokenAdded
from engine.decoding.backend import LocalBackend
from engine.decoding.batch import SequentialBatch, SlotBatch
from engine.decoding.decoder import TwinDecoder
from engine.decoding.sampling import SamplingParams
from engine.decoding.twins import Request
from engine.grammars.grammar import Grammar
from engine.models.model import LoadedModel
from tests.decoding.reference import Reference, free_of, generate

MAX_NEW_TOKENS = 8
TIE = 1e-4  # below this difference of the best two, the shape of the batch may decide
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
INPUTS = [
    "My name is Alice and I am 30 years old.",
    "Bob, 41, from Leeds.",
    "I'm Zoë, twenty-two.",
    "Meet Carlos: he turned 19 last week.",
    'They call me "Ace"; I am 55.',
    "年齢は28歳、名前は健太です。",
    "This is Ms O'Brien, aged 63.",
    "Age: 7. Name: Tim.",
    "Dmitri is 33 and his dog is 4.",
    "hi i am sam i am 12",
]
PROMPTS = ["Extract the name and age: {input}", "Reply with JSON only, keys name and age. {input}"]
GREEDY, SAMPLED = SamplingParams(), SamplingParams(temperature=0.8, top_p=0.95, top_k=50)


@pytest.fixture(scope="module")
def grammar(builtin_model: LoadedModel) -> Grammar:
    return LocalBackend(builtin_model).grammar(PERSON, 60, lambda event: None)


def requests_for(model: LoadedModel, grammar: Grammar | None, prefill: str = "") -> list[Request]:
    texts = [prompt.replace("{input}", text) for prompt in PROMPTS for text in INPUTS]
    return [
        Request(str(n), model.prompt_ids([{"role": "user", "content": text}], prefill), prefill, 100 + n, grammar)
        for n, text in enumerate(texts)
    ]


def decoder_for(
    model: LoadedModel, requests: list[Request], params: SamplingParams, slots: int, max_prefill_tokens: int = 128
) -> TwinDecoder:
    capacity = max(len(request.tokens) for request in requests) + MAX_NEW_TOKENS
    rows = partial(SlotBatch, model, max_seq_len=capacity, max_prefill_tokens=max_prefill_tokens)
    return with_requests(TwinDecoder(model, rows, slots, params, MAX_NEW_TOKENS), requests)


def with_requests(decoder: TwinDecoder, requests: list[Request]) -> TwinDecoder:
    for request in requests:
        decoder.submit(request)
    return decoder


def run(decoder: TwinDecoder) -> dict[str, Finished]:
    ended = {}
    while decoder.busy:
        for event in decoder.step():
            if isinstance(event, Finished):
                ended[event.id] = event
    assert decoder.in_flight == 0
    return ended


def decode(
    model: LoadedModel, requests: list[Request], params: SamplingParams, slots: int, max_prefill_tokens: int = 128
) -> dict[str, Finished]:
    return run(decoder_for(model, requests, params, slots, max_prefill_tokens))


def assert_same(result: ArmResult, reference: Reference) -> bool:
    """True when equal; a difference is accepted only at a tie."""
    mine, theirs = [*result.tokens, -1], [*reference.tokens, -1]
    for place, (token, other) in enumerate(zip(mine, theirs, strict=False)):
        if token != other:
            assert reference.gaps[place] < TIE, f"token {place}: {token} instead of {other}"
            return False
    return True


@pytest.mark.model
@pytest.mark.parametrize("every", [12, pytest.param(1, marks=[pytest.mark.release, pytest.mark.timeout(900)])])
@pytest.mark.parametrize("params", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_each_arm_equals_what_it_is_alone(
    builtin_model: LoadedModel,
    grammar: Grammar,
    params: SamplingParams,
    every: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    requests = requests_for(builtin_model, grammar)[::every]
    together = decode(builtin_model, requests, params, slots=2 * len(requests))
    one_at_a_time = decode(builtin_model, requests[::8], params, slots=2, max_prefill_tokens=16)
    ties = 0
    for request in requests:
        free = generate(builtin_model, request, params, MAX_NEW_TOKENS, masked=False)
        constrained = generate(builtin_model, request, params, MAX_NEW_TOKENS, masked=True)
        for ended in [batch[request.id] for batch in (together, one_at_a_time) if request.id in batch]:
            assert ended.constrained is not None
            ties += not assert_same(free_of(ended), free)
            ties += not assert_same(ended.constrained, constrained)
    with capsys.disabled():
        print(f"\n{len(requests)} prompts, both arms, {ties} ties closer than {TIE}")
    assert ties <= 2, "more ties than chance explains"


@pytest.mark.model
def test_separate_rows_decode_the_same(builtin_model: LoadedModel, grammar: Grammar) -> None:
    """The slower way, for models whose caches cannot be shared, gives the same replies."""
    requests = requests_for(builtin_model, grammar)[:2]
    batched = decode(builtin_model, requests, GREEDY, slots=2)
    decoder = TwinDecoder(builtin_model, lambda slots: SequentialBatch(builtin_model), 1, GREEDY, MAX_NEW_TOKENS)
    separate = run(with_requests(decoder, requests))
    assert {id: free_of(ended).tokens for id, ended in separate.items()} == {
        id: free_of(ended).tokens for id, ended in batched.items()
    }
    assert {id: ended.constrained and ended.constrained.tokens for id, ended in separate.items()} == {
        id: ended.constrained and ended.constrained.tokens for id, ended in batched.items()
    }


@pytest.mark.model
def test_the_events_add_up_to_the_results(builtin_model: LoadedModel, grammar: Grammar) -> None:
    """The streamed text adds up to the replies, and the fork is where the texts part."""
    requests = requests_for(builtin_model, grammar)[:4]
    decoder = decoder_for(builtin_model, requests, GREEDY, slots=4)
    texts: dict[tuple[str, str], str] = {}
    begun: list[str] = []
    ended: dict[str, Finished] = {}
    while decoder.busy:
        for event in decoder.step():
            match event:
                case Started(id=id):
                    begun.append(id)
                    texts[id, "free"] = texts[id, "constrained"] = ""
                case TokenAdded(id=id, arm=arm, text=text):
                    for one in ("free", "constrained") if arm == "both" else (arm,):
                        texts[id, one] += text
                case ArmsForked(id=id, fork=fork):
                    assert texts[id, "free"] == texts[id, "constrained"]
                    assert len(texts[id, "free"]) == fork.char
                case Finished(id=id):
                    ended[id] = event
    assert begun == [request.id for request in requests]
    for id, end in ended.items():
        assert end.constrained is not None
        assert texts[id, "free"] == free_of(end).text.rstrip("\ufffd")
        assert texts[id, "constrained"] == end.constrained.text.rstrip("\ufffd")


@pytest.mark.model
@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.release)])
def test_the_fork_explains_itself(builtin_model: LoadedModel, grammar: Grammar, every: int) -> None:
    """At the fork: what the free arm took, what the constrained arm took, and the probability the mask left."""
    requests = requests_for(builtin_model, grammar)[::every]
    forks = 0
    for id, ended in decode(builtin_model, requests, GREEDY, slots=16).items():
        assert ended.constrained is not None
        if ended.fork is None:
            assert free_of(ended).tokens == ended.constrained.tokens
            continue
        forks += 1
        fork, place = ended.fork, ended.fork.token
        assert place is not None
        assert fork.allowed_mass is not None
        assert free_of(ended).tokens[:place] == ended.constrained.tokens[:place]
        next_free = [*free_of(ended).tokens, *builtin_model.stop_ids][place]
        next_constrained = [*ended.constrained.tokens, *builtin_model.stop_ids][place]
        assert (fork.wanted[0].id, fork.allowed[0].id) == (next_free, next_constrained), id
        assert fork.wanted[0].p == max(candidate.p or 0 for candidate in fork.wanted)
        assert 0 < sum(candidate.p or 0 for candidate in fork.allowed) <= fork.allowed_mass + 1e-6
        assert fork.allowed_mass <= 1
    assert forks > 0


@pytest.mark.model
def test_a_prefill_is_the_beginning_of_both_replies(builtin_model: LoadedModel, grammar: Grammar) -> None:
    requests = requests_for(builtin_model, grammar, prefill='{"name":')[:4]
    for ended in decode(builtin_model, requests, GREEDY, slots=8).values():
        assert ended.constrained is not None
        assert free_of(ended).text.startswith('{"name":')
        assert ended.constrained.text.startswith('{"name":')


@pytest.mark.model
def test_sampling_depends_on_the_seed_alone(builtin_model: LoadedModel, grammar: Grammar) -> None:
    """Neither the order nor the size of the batch changes a sampled reply (a tie apart, which none of these is)."""
    requests = requests_for(builtin_model, grammar)[:2]
    one = decode(builtin_model, requests, SAMPLED, slots=2)
    other = decode(builtin_model, requests[::-1], SAMPLED, slots=4)
    assert {id: free_of(ended).tokens for id, ended in one.items()} == {
        id: free_of(end).tokens for id, end in other.items()
    }


@pytest.mark.model
def test_without_a_grammar_the_free_arm_runs_alone(builtin_model: LoadedModel) -> None:
    requests = requests_for(builtin_model, None)[:3]
    for ended in decode(builtin_model, requests, GREEDY, slots=4).values():
        assert ended.constrained is None
        assert ended.fork is None
        assert free_of(ended).text


@pytest.mark.model
def test_each_token_has_its_probability_and_its_place(builtin_model: LoadedModel, grammar: Grammar) -> None:
    """Unmasked, at temperature 1, in both arms, whatever the draw was under."""
    requests = requests_for(builtin_model, grammar, prefill="{")[5:7]
    for request in requests:
        ended = decode(builtin_model, [request], SAMPLED, slots=2)[request.id]
        assert ended.constrained is not None
        for result in (free_of(ended), ended.constrained):
            ids = torch.tensor([[*request.tokens, *result.tokens]])
            with torch.inference_mode():
                logits = builtin_model.model(ids).logits[0, len(request.tokens) - 1 : -1].float()
            alone = logits.softmax(-1)[range(len(result.tokens)), list(result.tokens)]
            assert torch.allclose(torch.tensor(result.p), alone, rtol=0.01, atol=1e-5)
            assert len(result.ends) == len(result.tokens)
            assert list(result.ends) == sorted(result.ends)
            assert result.ends[-1] == len(result.text)
            pieces = [result.text[a:b] for a, b in zip((1, *result.ends), result.ends, strict=False)]
            whole = [str(builtin_model.tokenizer.decode([token])) for token in result.tokens]
            assert all(piece == token for piece, token in zip(pieces, whole, strict=True) if token.isascii())
