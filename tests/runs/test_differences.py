"""What differs between two manifests, in a few words: in what was asked, and in what answered."""

from __future__ import annotations

from typing import Any

from engine.runs.differences import Differences, differences
from engine.runs.run_manifest import Manifest
from tests.helpers.made_runs import MANIFEST

LORA = {"name": "lora", "path": "out/lora", "sha256": "ab" * 32, "base": "made-model", "live": 0.1}


def between(**changed: Any) -> Differences:
    return differences(Manifest.model_validate(MANIFEST), Manifest.model_validate({**MANIFEST, **changed}))


def test_nothing_differs() -> None:
    assert between(started="2027-01-01T00:00:00+00:00", jobs=7, batch=1, rates={}, selection={"limit": 3}) == (
        Differences((), ())
    )


def test_short_values_are_shown() -> None:
    found = between(
        model="other", dtype=None, device_name="an H100", adapter=LORA, grammar="outlines_core", jsonbreak="0.2.0"
    )
    assert found.asked == ()
    assert found.answered == (
        "model (made-model, other)",
        "processor (none, an H100)",
        "number format (float32, none)",
        "grammar asked for (auto, outlines_core)",
        "the version of jsonbreak (0.1.0, 0.2.0)",
        "adapter (none, lora)",
    )


def test_an_adapter_is_shown_by_its_name() -> None:
    with_lora = Manifest.model_validate({**MANIFEST, "adapter": LORA})
    other_files = Manifest.model_validate({**MANIFEST, "adapter": {**LORA, "sha256": "cd" * 32}})
    elsewhere = Manifest.model_validate({**MANIFEST, "adapter": {**LORA, "path": "moved/lora", "live": 0.2}})
    assert differences(with_lora, elsewhere).answered == ()
    assert differences(with_lora, other_files).answered == ("the files of the adapter lora",)


def test_settings_and_versions_key_by_key() -> None:
    found = between(generation={"temperature": 0.0, "seed": 5, "top_k": 3}, versions={"python": "3.12.1"})
    assert found.asked == ("temperature (0.7, 0.0)", "top_k (none, 3)")
    assert found.answered == ("the version of python (3.11.7, 3.12.1)",)


def test_long_values_are_named() -> None:
    prompts = [{"name": "naive", "user": "Who is it? {input}"}, MANIFEST["prompts"][1], {"name": "third", "user": ""}]
    found = between(suite_sha256="cd" * 32, schema={"type": "object"}, prompts=prompts, compare={"/name": {}})
    assert found.asked == ("the suite's file", "the schema", "how values are compared", "prompt naive")
    grammars = [{"prompts": ["naive"], "backend": "llguidance"}, {"prompts": ["strict"], "backend": "outlines_core"}]
    hashes = {"model_sha256": "ab", "tokenizer_sha256": "cd", "chat_template_sha256": "ef", "model_files": {"a": "b"}}
    found = between(**hashes, whitespace_pattern="[ ]?", grammars=grammars)
    assert found.answered == (
        "the model's files",
        "the tokenizer",
        "the chat template",
        "the whitespace that the grammar allows",
        "what made the grammar of prompt naive (outlines_core, llguidance)",
    )
