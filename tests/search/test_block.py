"""The block of a prompt: loading a suite with it gives the same prompt."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.search.block import prompt_block
from engine.suites.suite import load_suite
from engine.suites.tables import Example, Prompt, Think
from tests.helpers.suite_files import PERSON_SCHEMA, write_suite

KEYS = {"name", "system", "user", "examples", "prefill", "think", "chat_template_kwargs"}

# What TOML is awkward about, often; any other character now and then. Lone surrogates are in no UTF-8 file.
chars = st.sampled_from("\"'\\\n\r\t #=[]{}\x00\x1f\x7f\x85 \u2028ué") | st.characters(exclude_categories=["Cs"])
texts = st.text(chars, max_size=30)
values = st.recursive(
    texts | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
examples = st.builds(Example, input=texts, output=values)
thinks = st.builds(Think, close=st.text(chars, min_size=1, max_size=9), budget=st.integers(1, 99))
variables = st.dictionaries(texts.map("own {}".format), values, max_size=2)
ends = st.none() | texts


@st.composite
def prompts(draw: st.DrawFn) -> Prompt:
    think = draw(st.none() | thinks)
    return Prompt(
        name="schema+few-shot",
        system=draw(ends),
        user=f"{draw(texts)}{{input}}{draw(texts)}",
        examples=tuple(draw(st.lists(examples, max_size=2))),
        prefill=None if think else draw(ends),
        think=think,
        chat_template_kwargs=draw(variables),
    )


def reloaded(prompt: Prompt, folder: Path) -> Prompt:
    block = prompt_block(prompt, ["A remark\nof two lines: \"[[case]]\" = 'x'"])
    cases = '[[case]]\nid = "one"\ninput = "no example has this input: \\u0001"\n'
    suite = load_suite(write_suite(folder, schema=PERSON_SCHEMA, prompts=block, cases=cases))
    (loaded,) = suite.prompts
    return loaded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("blocks")


@given(prompt=prompts())
def test_any_prompt_comes_back_as_it_was(prompt: Prompt, folder: Path) -> None:
    assert reloaded(prompt, folder).model_dump(include=KEYS) == prompt.model_dump(include=KEYS)


@pytest.mark.parametrize(
    "text", ['"', '""', '"""', '""""""', "\n", '\n"', '\n""', '"""\n"""', " \n\t\n", "\\\n  x", "\\", "\r\n"]
)
def test_what_toml_is_awkward_about(text: str, folder: Path) -> None:
    prompt = Prompt(name="p", user=f"{text}{{input}}{text}", system=text, prefill=text)
    assert reloaded(prompt, folder).model_dump(include=KEYS) == prompt.model_dump(include=KEYS)


def test_lines_stay_lines_and_remarks_are_comments() -> None:
    prompt = Prompt(name="p", user='Say "x":\n{input}', examples=(Example(input="a", output={"k": [1, "b"]}),))
    assert prompt_block(prompt, ["One."]) == (
        '# One.\n[[prompt]]\nname = "p"\nuser = """\nSay "x":\n{input}"""\n\n'
        '[[prompt.examples]]\ninput = "a"\noutput = { k = [1, "b"] }\n'
    )
