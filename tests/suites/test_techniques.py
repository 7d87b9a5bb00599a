"""Techniques: defined once, used by name, complete, and refused in one sentence where a suite lacks what they need."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.suites.faults import SuiteError
from engine.suites.jobs import jobs_of
from engine.suites.messages import key_list
from engine.suites.suite import Suite, load_suite
from engine.suites.techniques import TECHNIQUES

pytestmark = pytest.mark.usefixtures("in_its_own_folder")

ALL = ", ".join(f'"{name}"' for name in TECHNIQUES)
HEAD = """\
name = "people"
task = "Extract the name and age"
use = [USE]
[schema]
type = "object"
required = ["name", "age"]
[schema.properties.name]
type = "string"
[schema.properties.age]
type = "integer"
"""
EXAMPLES = """\
[[example]]
input = "Eve is 7."
output = { name = "Eve", age = 7 }
[[example]]
input = "Dan is 8."
output = { name = "Dan", age = 8 }
"""
CASE = '[[case]]\nid = "bob"\ninput = "Bob is {input} 25."\nexpected = { name = "Bob", age = 25 }\n'


def load(use: str = ALL, more: str = EXAMPLES, head: str = HEAD) -> Suite:
    Path("people.toml").write_text(head.replace("USE", use) + more + CASE, encoding="utf-8")
    return load_suite(Path("people.toml"))


def fault(use: str, more: str = EXAMPLES, head: str = HEAD) -> str:
    with pytest.raises(SuiteError) as caught:
        load(use, more, head)
    return str(caught.value)


def contents(suite: Suite, prompt: str) -> list[str]:
    (job,) = jobs_of(suite, prompts=[prompt])
    return [message["content"] for message in job.messages]


def test_all_of_them_in_one_suite_fill_in_everything() -> None:
    suite = load()
    assert [prompt.name for prompt in suite.prompts] == list(TECHNIQUES)
    assert len(TECHNIQUES) >= 12
    for job in jobs_of(suite):
        texts = [message["content"] for message in job.messages]
        assert any("Extract the name and age" in text for text in texts), job.prompt
        assert "Bob is {input} 25." in texts[-1], job.prompt
        assert not re.search(r"\{(task|keys|schema)\}", "".join(texts)), job.prompt


def test_each_explains_itself_and_has_a_source() -> None:
    for technique in TECHNIQUES.values():
        assert technique.about.endswith("."), technique.name
        assert technique.source == "common practice" or re.search(r"arXiv \d{4}\.\d{5}|documentation", technique.source)
    assert load().prompts[0].source == "common practice"


def test_what_each_technique_does() -> None:
    suite = load()
    assert contents(suite, "naive") == ["Extract the name and age: Bob is {input} 25."]
    assert '{"type": "object", "required": ["name", "age"]' in contents(suite, "schema")[0]
    assert '- "name": a string\n- "age": a whole number' in contents(suite, "key-list")[0]
    assert contents(suite, "one-shot")[1::2] == ['{"name": "Eve", "age": 7}']
    assert contents(suite, "few-shot")[1::2] == ['{"name": "Eve", "age": 7}', '{"name": "Dan", "age": 8}']
    assert [message["role"] for message in jobs_of(suite, ["persona"])[0].messages] == ["system", "user"]
    assert "<text>\nBob is {input} 25.\n</text>" in contents(suite, "delimiters")[0]
    assert contents(suite, "repeat")[0].count("Extract the name and age. Reply with valid JSON") == 2
    assert jobs_of(suite, ["prefill"])[0].prefill == "{"
    (think,) = jobs_of(suite, ["think-first"])
    assert (think.think_close, think.think_budget) == ("</think>", 256)
    assert "<think>" in contents(suite, "think-first")[0]
    (plain,) = jobs_of(suite, ["checklist"])
    assert (plain.think_close, plain.think_budget, plain.prefill) == (None, 0, "")


def test_a_prompt_of_the_same_name_takes_the_techniques_place() -> None:
    own = (
        '[[prompt]]\nname = "json-only"\nuser = "{task}! {keys} {input}"\n[[prompt]]\nname = "mine"\nuser = "{input}"\n'
    )
    suite = load('"naive", "json-only", "schema"', own)
    assert [prompt.name for prompt in suite.prompts] == ["naive", "json-only", "schema", "mine"]
    text = 'Extract the name and age! - "name": a string\n- "age": a whole number Bob is {input} 25.'
    assert contents(suite, "json-only") == [text]
    assert suite.prompts[1].about == ""


def test_prompts_alone_need_no_task() -> None:
    suite = load(head=HEAD.replace('task = "Extract the name and age"\n', "").replace("use = [USE]\n", ""), more=OWN)
    assert [prompt.name for prompt in suite.prompts] == ["own"]


OWN = '[[prompt]]\nname = "own"\nuser = "{input}"\n'
NO_TASK = HEAD.replace('task = "Extract the name and age"\n', "")
A_LIST = HEAD[: HEAD.index("[schema]")] + '[schema]\ntype = "array"\n'


@pytest.mark.parametrize(
    ("use", "more", "head", "sentence"),
    [
        ('"json_only"', "", HEAD, 'line 3, use[0]: there is no technique "json_only"; did you mean "json-only"?'),
        ('"naive", "naive"', "", HEAD, 'line 3, use[1]: "naive" is listed twice; keep one of the two'),
        (
            '"naive"',
            "",
            NO_TASK,
            'line 2, use: technique "naive" needs the suite\'s task; '
            'add task = "…" at the top of the file, saying what is to be done',
        ),
        (
            '"one-shot"',
            "",
            HEAD,
            'line 3, use[0]: technique "one-shot" shows an example, and the suite has none; '
            "add [[example]] tables with an input and an output",
        ),
        (
            '"few-shot"',
            EXAMPLES[: EXAMPLES.rindex("[[example]]")],
            HEAD,
            'line 3, use[0]: technique "few-shot" shows two examples or more, and the suite has only one; '
            "add [[example]] tables with an input and an output",
        ),
        (
            '"naive"',
            EXAMPLES.replace("age = 8", 'age = "8"'),
            HEAD,
            'line 16, example[1].output.age: contradicts the schema at /age: "8" is not of type "integer"; '
            "correct the value or the schema",
        ),
        (
            '"naive"',
            EXAMPLES.replace("Eve is 7.", "Bob is {input} 25."),
            HEAD,
            'line 12, example[0].input: this is the input of case "bob" as well, whose answer would be shown; '
            "take another",
        ),
        (
            '"naive"',
            OWN + 'prefill = "{"\nthink = { close = "</t>" }\n',
            HEAD,
            "line 14, prompt[0].prefill: the reply begins with thinking, so nothing can come before it; "
            "keep one of prefill and think",
        ),
        ('"naive"', OWN + 'think = { close = "" }\n', HEAD, "line 14, prompt[0].think.close: "),
        ('"naive"', OWN + 'think = { close = "x", budget = 0 }\n', HEAD, "line 14, prompt[0].think.budget: must be at"),
        ('"naive"', OWN + 'think = { clsoe = "x" }\n', HEAD, 'unknown key "clsoe"; did you mean "close"?'),
        (
            "",
            OWN.replace("{input}", "{task} {input}"),
            NO_TASK,
            "line 12, prompt[0].user: {task} stands for the suite's task, and it has none; ",
        ),
        ("", "", HEAD, "the suite has no prompts; add at least one [[prompt]] with a name and a user message"),
        ('"naive"', "", HEAD.replace('age"\nuse', 'age."\nuse'), 'line 2, task: must not end with "."; leave it off'),
        ('"naive"', "", HEAD.replace('age"\nuse', 'age {input}"\nuse'), "line 2, task: must not contain {input}; "),
        ('"naive"', '[generation]\ntask = "x"\n', NO_TASK, "it belongs at the top of the file"),
        ('"naive"', "[generation]\nchat_template_kwargs = { tokenize = true }\n", HEAD, "jsonbreak sets it itself"),
        (
            '"naive"',
            '[variations]\nuse = ["typo"]\n',
            HEAD,
            'use[0]: there is no variation "typo"; did you mean "typos"?',
        ),
        ('"naive"', '[variations]\nuse = "typos"\n', HEAD, "variations.use: must be an array, not a string; "),
        ('"naive"', "[variations]\nper_case = -1\n", HEAD, "variations.per_case: must be at least 0, not -1"),
    ],
)
def test_what_is_lacking_is_one_sentence(use: str, more: str, head: str, sentence: str) -> None:
    said = fault(use, more, head)
    assert sentence in said
    assert said.startswith("people.toml")
    assert len(said.splitlines()) == 1


def test_a_schema_that_a_technique_does_not_fit() -> None:
    case = CASE.replace('{ name = "Bob", age = 25 }', "[]")
    Path("people.toml").write_text(A_LIST.replace("USE", '"key-list", "prefill", "naive"') + case, encoding="utf-8")
    with pytest.raises(SuiteError) as caught:
        load_suite(Path("people.toml"))
    assert str(caught.value).splitlines() == [
        'people.toml, line 3, use[0]: prompt "key-list" lists the keys of an object, and the schema has no properties '
        "at the top; leave it out, or use {schema} instead of {keys}",
        'people.toml, line 3, use[1]: technique "prefill" begins an object, and the schema asks for "array"; '
        "leave it out, or write a [[prompt]] with another prefill",
    ]


def test_template_variables_are_merged_the_prompts_own_last() -> None:
    own = OWN + "chat_template_kwargs = { enable_thinking = true }\n"
    more = "[generation]\nchat_template_kwargs = { enable_thinking = false, style = 'x' }\n"
    naive, mine = jobs_of(load('"naive"', more + own))
    assert naive.template_kwargs == {"enable_thinking": False, "style": "x"}
    assert mine.template_kwargs == {"enable_thinking": True, "style": "x"}


def test_keys_in_words() -> None:
    schema = {
        "required": ["a", "b"],
        "properties": {
            "a": {"type": ["string", "null"], "format": "date"},
            "b": {"type": "array", "items": {"$ref": "#/$defs/line"}},
            "c": {"anyOf": [{"const": 1}, {"enum": ["x", None]}, {"type": "boolean"}]},
            "d": True,
        },
        "$defs": {"line": {"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]}},
    }
    assert key_list(schema).splitlines() == [
        '- "a": a string (format date) or null',
        '- "b": an array, each item {"n": a number}',
        '- "c" (may be left out): 1 or one of "x", null or true or false',
        '- "d" (may be left out): any value',
    ]
    assert key_list({"type": "array"}) == ""
    endless = {"type": "object", "properties": {"child": {"$ref": "#"}}}
    assert key_list(endless).count("child") < 10
    assert key_list({"$ref": "#/$defs/no"}) == ""
