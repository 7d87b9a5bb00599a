"""A suite in, a Suite out; whatever is wrong with it in one sentence with file, line, key and remedy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.errors import BadInputError
from engine.suites.faults import SuiteError
from engine.suites.suite import Suite, find_suites, load_suite

GOOD = """\
name = "people"
[schema]
type = "object"
required = ["name", "age"]
additionalProperties = false
[schema.properties.name]
type = "string"
[schema.properties.age]
type = "integer"
[[prompt]]
name = "naive"
user = "Extract: {input}"
[[case]]
id = "alice"
input = "Alice is 30."
expected = { name = "Alice", age = 30 }
[[case]]
id = "bob"
input = "Bob is 40."
"""
HEAD, CASES = GOOD[: GOOD.index("[[case]]")], GOOD[GOOD.index("[[case]]") :]
FROM_FILE = f'name = "people"\nschema_file = "s.json"\n{GOOD[GOOD.index("[[prompt]]") :]}'
ALICE = 'expected = { name = "Alice", age = 30 }'


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def load(text: str | bytes, name: str = "people.toml") -> Suite:
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_suite(Path(name))


def faults(text: str | bytes, name: str = "people.toml") -> list[str]:
    with pytest.raises(SuiteError) as caught:
        load(text, name)
    return str(caught.value).split("\n")


def edited(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


def test_a_suite_is_read_unchanged() -> None:
    suite = load(GOOD)
    assert (suite.path, suite.text, suite.name, suite.description) == (Path("people.toml"), GOOD, "people", "")
    assert suite.generation.model_dump() == {
        "max_new_tokens": 96,
        "temperature": 0.0,
        "top_p": 1.0,
        "top_k": 0,
        "seed": 0,
        "repeats": 1,
        "compile_seconds": 60,
        "chat_template_kwargs": {},
    }
    assert suite.json_schema is not None
    assert suite.json_schema["properties"] == {"name": {"type": "string"}, "age": {"type": "integer"}}
    (prompt,) = suite.prompts
    assert (prompt.name, prompt.system, prompt.user, prompt.examples, prompt.prefill) == (
        "naive",
        None,
        "Extract: {input}",
        (),
        None,
    )
    alice, bob = suite.cases
    assert (alice.id, alice.input, alice.expected, alice.tags) == (
        "alice",
        "Alice is 30.",
        {"name": "Alice", "age": 30},
        (),
    )
    assert bob.expected is None


def test_every_key_is_read() -> None:
    suite = load(
        'name = "x"\ndescription = "what it is for"\n'
        "generation = { max_new_tokens = 5, temperature = 1, top_p = 0.5, top_k = 3, seed = 7, repeats = 2 }\n"
        "schema = {}\n"
        '[[prompt]]\nname = "p"\nsystem = ""\nuser = "{input}"\nprefill = "{"\n'
        '[[prompt.examples]]\ninput = "a"\noutput = { n = [1, "two"] }\n'
        '[[prompt.examples]]\ninput = "b"\noutput = "as it is"\n'
        '[[case]]\nid = "c"\ninput = "i"\nexpected_json = \'{"n": null, "x": 1.5}\'\ntags = ["one", "two"]\n'
    )
    assert (suite.description, suite.generation.temperature, suite.generation.repeats) == ("what it is for", 1.0, 2)
    (prompt,) = suite.prompts
    assert (prompt.system, prompt.prefill) == ("", "{")
    assert [(example.input, example.output) for example in prompt.examples] == [
        ("a", {"n": [1, "two"]}),
        ("b", "as it is"),
    ]
    assert suite.cases[0].expected == {"n": None, "x": 1.5}
    assert suite.cases[0].tags == ("one", "two")


@pytest.mark.parametrize("text", [GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD], ids=["CRLF", "BOM"])
def test_files_from_other_editors_work_and_keep_their_text(text: str) -> None:
    suite = load(text)
    assert (suite.cases, suite.text) == (load(GOOD, "good.toml").cases, text)
    assert faults(text.replace("Bob is 40.", "Bob").replace("id =", "idd =", 1))[0].startswith("people.toml, line 14, ")


@pytest.mark.parametrize("length", [0, 100_000])
def test_an_input_of_any_length_is_a_legitimate_test(length: int) -> None:
    assert load(edited("Bob is 40.", "x" * length)).cases[1].input == "x" * length


def test_a_suite_cannot_be_changed() -> None:
    suite = load(GOOD)
    with pytest.raises(ValidationError, match="frozen"):
        suite.cases[0].input = "something else"


TOML: list[tuple[str | bytes, str]] = [
    (
        edited('"Extract: {input}"', "Extract"),
        "people.toml, line 12, column 8: this is not TOML: Invalid value; "
        "put strings in quotes; only true, false, numbers and dates need none",
    ),
    (
        edited('{input}"', "{input}"),
        r"people.toml, line 12, column 25: this is not TOML: Illegal character '\n'; "
        "close the quotes, or put three quotes around text of several lines",
    ),
    (
        edited('"bob"', '"""bob'),
        "people.toml, at the end of the file: this is not TOML: Unterminated string; close the quotes",
    ),
    (
        edited('"bob"', r'"\d"'),
        r"people.toml, line 18, column 9: this is not TOML: Unescaped '\' in a string; "
        r"write \\ for a backslash, or use single quotes",
    ),
    (
        edited('name = "people"', 'name = "a"\nname = "b"'),
        "people.toml, line 2, column 11: this is not TOML: Cannot overwrite a value; a key may occur only once",
    ),
    (
        GOOD + "[schema]\n",
        "people.toml, line 20, column 8: this is not TOML: Cannot declare ('schema',) twice; "
        "join the two tables, or write [[ ]] to begin one more of several",
    ),
    (
        edited('required = ["name",', 'required = ["name"'),
        "people.toml, line 4, column 20: this is not TOML: Unclosed array; close the bracket, or put the missing comma",
    ),
    (
        "{}\n",
        "people.toml, line 1, column 1: this is not TOML: Invalid statement; "
        "a line is key = value, [table] or [[table]]; quote keys with other signs than - and _",
    ),
    ('name = "people" x\n', "people.toml, line 1, column 17: this is not TOML: Expected newline or end of document"),
    (b'name = "a"\nb = "caf\xe9"\n', "people.toml, line 2: the byte 0xe9 is not UTF-8; save the file as UTF-8"),
    (b"", "people.toml: the file is empty; a suite needs a name, a [schema], a [[prompt]] and a [[case]]"),
    ("# only this\n", "people.toml: the file is empty; a suite needs a name, a [schema], a [[prompt]] and a [[case]]"),
    ("x = " + "[" * 3000, "people.toml: tables or references are nested too deeply; make the suite flatter"),
    ("a." * 2000 + "b = 1", "people.toml: tables or references are nested too deeply; make the suite flatter"),
    ("x = " + "1" * 5000, "people.toml: an integer has thousands of digits; write a smaller one"),
]

SHAPE: list[tuple[str | bytes, str]] = [
    (HEAD, "people.toml: the suite has no cases; add at least one [[case]] with an id and an input"),
    ("case = []\n" + HEAD, "people.toml: the suite has no cases; add at least one [[case]] with an id and an input"),
    (
        GOOD[: GOOD.index("[[prompt]]")] + CASES,
        "people.toml: the suite has no prompts; add at least one [[prompt]] with a name and a user message",
    ),
    (
        HEAD + '[case]\nid = "a"\ninput = "b"\n',
        "people.toml, line 13, case: must be an array of tables, not a table; write [[case]]",
    ),
    (
        edited('user = "Extract: {input}"', 'user = "{input}"\n[prompt.examples]\ninput = "a"\noutput = "b"'),
        "people.toml, line 13, prompt[0].examples: must be an array of tables, not a table; write [[prompt.examples]]",
    ),
    (
        edited('name = "people"\n', ""),
        'people.toml: the key "name" is missing; add name = "…" at the top of the file',
    ),
    (
        edited('id = "bob"\n', ""),
        'people.toml, line 17, case[1]: the key "id" is missing; add id = "…", unique in the suite',
    ),
    (
        edited('input = "Bob is 40."\n', ""),
        'people.toml, line 17, case[1]: the key "input" is missing; '
        'add input = "…", the text that the model is to read',
    ),
    (
        edited('user = "Extract: {input}"\n', ""),
        'people.toml, line 10, prompt[0]: the key "user" is missing; '
        'add user = "… {input}", the message that the model is sent',
    ),
    (edited('id = "bob"', 'idd = "bob"'), 'people.toml, line 18, case[1].idd: unknown key "idd"; did you mean "id"?'),
    (
        edited('id = "bob"', 'id = "bob"\nexpect = 3'),
        'people.toml, line 19, case[1].expect: unknown key "expect"; did you mean "expected"?',
    ),
    (
        edited('id = "bob"', 'id = "bob"\nzzz = 3'),
        'people.toml, line 19, case[1].zzz: unknown key "zzz"; known here: expected, expected_json, id, input, tags',
    ),
    ("prompts = 3\n" + GOOD, 'people.toml, line 1, prompts: unknown key "prompts"; did you mean "prompt"?'),
    (
        edited("[schema]", "[generation]\ntemprature = 1\n[schema]"),
        'people.toml, line 3, generation.temprature: unknown key "temprature"; did you mean "temperature"?',
    ),
    (
        edited("[schema]", '[generation]\ndescription = "x"\n[schema]'),
        'people.toml, line 3, generation.description: unknown key "description"; '
        "it belongs at the top of the file: move it above the first line with a [ ]",
    ),
    (
        edited("[schema]", "generation = 3\n[schema]"),
        "people.toml, line 2, generation: must be a table, not an integer; write it as a table, [ ] or { }",
    ),
    (edited('"bob"', "3"), "people.toml, line 18, case[1].id: must be a string, not an integer; write it in quotes"),
    (
        edited('"Bob is 40."', "2024-05-01"),
        "people.toml, line 19, case[1].input: must be a string, not a date or time; write it in quotes",
    ),
    (
        edited('id = "bob"', 'id = "bob"\ntags = "x"'),
        "people.toml, line 19, case[1].tags: must be an array, not a string; write it in square brackets",
    ),
    (
        edited('id = "bob"', 'id = "bob"\ntags = [\n  "x",\n  1,\n]'),
        "people.toml, line 21, case[1].tags[1]: must be a string, not an integer; write it in quotes",
    ),
    (edited('"bob"', '""'), "people.toml, line 18, case[1].id: must not be empty; give it a name"),
    (
        edited('"bob"', f'"{"b" * 101}"'),
        "people.toml, line 18, case[1].id: must be at most 100 characters, not 101; shorten it",
    ),
    *(
        (
            edited('"bob"', f'"b{written}b"'),
            f"people.toml, line 18, case[1].id: must not contain {shown}; use letters, digits, - and _",
        )
        for written, shown in [
            ("/", '"/"'),
            ("~", '"~"'),
            ("#", '"#"'),
            (" ", '" "'),
            (r"\t", r'"\t"'),
            (r"\u001b", r'"\u001b"'),
            (r"\u202e", r'"\u202e"'),
        ]
    ),
    (
        edited('"naive"', '"na/ive"'),
        'people.toml, line 11, prompt[0].name: must not contain "/"; use letters, digits, - and _',
    ),
    (edited('"people"', '"a b"'), 'people.toml, line 1, name: must not contain " "; use letters, digits, - and _'),
    (
        edited(ALICE, 'expected = { name = "Alice", age = 2024-05-01 }'),
        'people.toml, line 16, case[0].expected.age: JSON has no dates; write it in quotes: "2024-05-01"',
    ),
    (
        edited(ALICE, 'expected = { name = "Alice", age = inf }'),
        "people.toml, line 16, case[0].expected.age: JSON has no inf; write a finite number",
    ),
]

GENERATION = [
    ("max_new_tokens = 0", "max_new_tokens: must be at least 1, not 0; change the number"),
    ("temperature = -0.5", "temperature: must be at least 0, not -0.5; change the number"),
    ("temperature = nan", "temperature: must be a finite number, not nan; change the number"),
    ("temperature = inf", "temperature: must be a finite number, not inf; change the number"),
    ("temperature = '1'", "temperature: must be a number, not a string; write it without quotes"),
    ("top_p = 0", "top_p: must be more than 0, not 0; change the number"),
    ("top_p = 1.5", "top_p: must be at most 1, not 1.5; change the number"),
    ("top_k = -1", "top_k: must be at least 0, not -1; change the number"),
    (
        "top_k = 2.0",
        "top_k: must be a whole number, not a float; write it without quotes and without a decimal point",
    ),
    ("seed = -1", "seed: must be at least 0, not -1; change the number"),
    ("seed = 4294967296", "seed: must be at most 4294967295, not 4294967296; change the number"),
    ("repeats = 0", "repeats: must be at least 1, not 0; change the number"),
    (
        "repeats = true",
        "repeats: must be a whole number, not a boolean; write it without quotes and without a decimal point",
    ),
]

PARTS: list[tuple[str | bytes, str]] = [
    (
        edited('"bob"', '"alice"'),
        'people.toml, line 18, case[1].id: "alice" is already the id of case[0] on line 14; give this one another',
    ),
    (
        edited("[[case]]\nid = " + '"alice"', '[[prompt]]\nname = "naive"\nuser = "{input}"\n[[case]]\nid = "alice"'),
        'people.toml, line 14, prompt[1].name: "naive" is already the name of prompt[0] on line 11; '
        "give this one another",
    ),
    (
        edited("Extract: {input}", "Extract: { input } {INPUT}"),
        "people.toml, line 12, prompt[0].user: without {input}, here or in system, "
        "the model would never see the input; put {input} in",
    ),
    (
        edited('"Extract: {input}"', '"Extract"\nsystem = "Text: {input}"\nexamples = [{ input = "a", output = "b" }]'),
        "people.toml, line 14, prompt[0].examples: the inputs of the examples would not be shown; "
        "put {input} into user, not only into system",
    ),
    (
        GOOD[:16] + GOOD[GOOD.index("[[prompt]]") :],
        'people.toml: the suite has no schema; add a [schema] table, or schema_file = "…" at the top',
    ),
    (
        'schema_file = "s.json"\n' + GOOD,
        "people.toml, line 1, schema_file: the suite has a [schema] as well; keep one of the two",
    ),
    (
        edited(ALICE, f"""{ALICE}\nexpected_json = '{{"name": "Alice", "age": 30}}'"""),
        "people.toml, line 17, case[0].expected_json: the case has expected as well; keep one of the two",
    ),
    (
        edited(ALICE, "expected_json = 'null'"),
        "people.toml, line 16, case[0].expected_json: null alone would mean that nothing is expected; "
        "leave the key out",
    ),
    (
        edited(ALICE, "expected_json = 3"),
        "people.toml, line 16, case[0].expected_json: must be a string, not an integer; write it in quotes",
    ),
    (
        edited(ALICE, """expected_json = '{"age": }'"""),
        "people.toml, line 16, case[0].expected_json: this is not JSON: "
        "expected value at line 1 column 9; correct it there",
    ),
    (
        edited(ALICE, """expected_json = '{"age": 1, "age": 2}'"""),
        "people.toml, line 16, case[0].expected_json: this is not JSON: "
        'Detected duplicate key "age" at line 1 column 18; correct it there',
    ),
    (edited(ALICE, "expected_json = 'NaN'"), "people.toml, line 16, case[0].expected_json: this is not JSON: "),
    (
        edited(ALICE, "expected_json = '1e999'"),
        "people.toml, line 16, case[0].expected_json: JSON has no inf; write a finite number",
    ),
]

AT_AGE = "people.toml, line 9, schema.properties.age"
SCHEMAS = [
    (
        'type = "integr"',
        f'{AT_AGE}.type: not a JSON Schema at /properties/age/type: there is no type "integr"; did you mean "integer"?',
    ),
    (
        'type = ["integer", "nul"]',
        f'{AT_AGE}.type: not a JSON Schema at /properties/age/type: there is no type "nul"; did you mean "null"?',
    ),
    (
        "minimum = 'x'",
        f"{AT_AGE}.minimum: not a JSON Schema at /properties/age/minimum: "
        "'x' is not of type 'number'; correct it there",
    ),
    (
        "pattern = '['",
        f"{AT_AGE}.pattern: not a JSON Schema at /properties/age/pattern: '[' is not a 'regex'; correct it there",
    ),
    *(
        (
            f"'$ref' = '{reference}'",
            f'{AT_AGE}."$ref": "{reference}" at /properties/age/$ref leads to nothing inside the schema; '
            "put what it means under $defs",
        )
        for reference in ["other.json", "#/$defs/age", "#age", "#/required/x", "http://127.0.0.1:9/age.json"]
    ),
]

CONTRADICTIONS = [
    (
        'expected = { name = "Alice", age = "30" }',
        "people.toml, line 16, case[0].expected.age: contradicts the schema at /age: "
        '"30" is not of type "integer"; correct the value or the schema',
    ),
    (
        'expected = { name = "Alice" }',
        "people.toml, line 16, case[0].expected: contradicts the schema at the top: "
        "'age' is a required property; correct the value or the schema",
    ),
    (
        """expected_json = '{"name": "Alice", "age": null}'""",
        "people.toml, line 16, case[0].expected_json: contradicts the schema at /age: "
        'null is not of type "integer"; correct the value or the schema',
    ),
    (
        '[case.expected]\nname = "Alice"\nage = "30"',
        "people.toml, line 18, case[0].expected.age: contradicts the schema at /age: ",
    ),
]


@pytest.mark.parametrize(("text", "sentence"), TOML + SHAPE + PARTS)
def test_a_fault_is_one_sentence(text: str | bytes, sentence: str) -> None:
    (fault,) = faults(text)
    assert fault.startswith(sentence)
    assert "; " in fault


@pytest.mark.parametrize(("line", "sentence"), GENERATION)
def test_faults_of_generation(line: str, sentence: str) -> None:
    assert faults(edited("[schema]", f"[generation]\n{line}\n[schema]")) == [
        f"people.toml, line 3, generation.{sentence}"
    ]


@pytest.mark.parametrize(("line", "sentence"), SCHEMAS)
def test_faults_of_schemas(line: str, sentence: str) -> None:
    assert faults(edited('type = "integer"', line)) == [sentence]


@pytest.mark.parametrize(("line", "sentence"), CONTRADICTIONS)
def test_an_expected_value_that_the_schema_forbids(line: str, sentence: str) -> None:
    (fault,) = faults(edited(ALICE, line))
    assert fault.startswith(sentence)


@pytest.mark.parametrize(
    "dialect", ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"]
)
def test_other_dialects_are_known(dialect: str) -> None:
    suite = load(edited("[schema]", f'[schema]\n"$schema" = "{dialect}"'))
    assert suite.json_schema is not None
    assert suite.json_schema["$schema"] == dialect


def test_an_unknown_dialect() -> None:
    assert faults(edited("[schema]", '[schema]\n"$schema" = "http://x"')) == [
        'people.toml, line 3, schema."$schema": "http://x" is not a known dialect; leave the key out for draft 2020-12'
    ]


def test_references_inside_the_schema_work() -> None:
    text = edited('type = "integer"', '"$ref" = "#/$defs/age"\n[schema."$defs".age]\ntype = "integer"')
    assert load(text).cases[0].expected == {"name": "Alice", "age": 30}
    assert faults(text.replace("age = 30", "age = 3.5"))[0].startswith("people.toml, line 18, case[0].expected.age: ")


def test_data_that_looks_like_a_reference_is_not_one() -> None:
    text = edited('type = "integer"', 'type = "integer"\nexamples = [{ "$ref" = "nowhere" }]')
    suite = load(text)
    assert suite.json_schema is not None
    assert suite.json_schema["properties"]["age"]["examples"] == [{"$ref": "nowhere"}]


def test_expected_values_are_held_to_what_the_judge_holds_replies_to() -> None:
    text = edited('type = "string"', 'format = "date"')
    assert faults(text) == [
        "people.toml, line 16, case[0].expected.name: contradicts the schema at /name: "
        "'Alice' is not a 'date'; correct the value or the schema"
    ]
    assert load(text.replace('name = "Alice"', 'name = "2024-05-01"')).cases[0].expected["name"] == "2024-05-01"
    assert load(edited('type = "integer"', "multipleOf = 0.01").replace("age = 30", "age = 19.99")).cases


def test_a_reference_that_leads_to_itself() -> None:
    assert faults(edited("[schema]", '[schema]\n"$ref" = "#"')) == [
        "people.toml, line 2, schema: a $ref leads back to itself without end; let it lead to a part of the value"
    ]


def test_a_schema_file_next_to_the_suite() -> None:
    Path("sub").mkdir()
    Path("sub/s.json").write_text('{"type": "object"}')
    assert load(FROM_FILE, "sub/people.toml").json_schema == {"type": "object"}


OWN = '[[prompt]]\nname = "list"\nuser = "{input}"\n[prompt.schema]\ntype = "array"\nmaxItems = 2\n'
TWO = GOOD.replace(ALICE + "\n", "").replace("[[case]]", OWN + "[[case]]", 1)  # OWN begins on line 13
WITHOUT_DEFAULT = TWO[:16] + TWO[TWO.index("[[prompt]]") :]


def test_prompts_may_have_schemas_of_their_own() -> None:
    Path("s.json").write_text('{"type": "string"}')
    suite = load(TWO + '[[prompt]]\nname = "file"\nuser = "{input}"\nschema_file = "s.json"\n')
    naive, listed, from_file = suite.prompts
    assert naive.json_schema is None
    assert suite.schema_of(naive) == suite.json_schema
    assert suite.schema_of(listed) == {"type": "array", "maxItems": 2}
    assert suite.schema_of(from_file) == {"type": "string"}
    alone = load(HEAD[:16] + OWN + CASES.replace(ALICE + "\n", ""))
    assert alone.json_schema is None
    assert alone.schema_of(alone.prompts[0]) == {"type": "array", "maxItems": 2}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            WITHOUT_DEFAULT,
            "people.toml, line 2, prompt[0]: the prompt has no schema, and the suite has none for all; "
            'add [prompt.schema] or schema_file = "…" to it, or a [schema] to the suite',
        ),
        (
            TWO.replace('"array"', '"aray"'),
            "people.toml, line 17, prompt[1].schema.type: not a JSON Schema at /type: "
            'there is no type "aray"; did you mean "array"?',
        ),
        (
            TWO.replace("[prompt.schema]", 'schema_file = "s.json"\n[prompt.schema]'),
            "people.toml, line 16, prompt[1].schema_file: the prompt has a [prompt.schema] as well; "
            "keep one of the two",
        ),
        (
            TWO.replace("maxItems = 2", "maxItems = inf"),
            "people.toml, line 18, prompt[1].schema.maxItems: JSON has no inf; write a finite number",
        ),
        (
            TWO.replace('[prompt.schema]\ntype = "array"\nmaxItems = 2', 'schema_file = "s.json"'),
            "people.toml, line 16, prompt[1].schema_file: s.json: there is no such file; check the name",
        ),
        (
            TWO.replace("[prompt.schema]", "[prompt.scheme]"),
            'people.toml, line 16, prompt[1].scheme: unknown key "scheme"; did you mean "schema"?',
        ),
        (
            TWO.replace("maxItems = 2", 'items = { "$ref" = "#/nothing" }'),
            'people.toml, line 18, prompt[1].schema.items."$ref": "#/nothing" at /items/$ref leads to nothing '
            "inside the schema; put what it means under $defs",
        ),
        (
            TWO.replace('input = "Alice is 30."', f'input = "Alice is 30."\n{ALICE}'),
            'people.toml, line 22, case[0].expected: contradicts the schema of prompt "list" at the top: '
            '{"name": "Alice", "age": 30} is not of type "array"; correct the value or the schema',
        ),
        (
            TWO.replace('input = "Alice is 30."', 'input = "Alice is 30."\nexpected = []'),
            "people.toml, line 22, case[0].expected: contradicts the schema at the top: "
            '[] is not of type "object"; correct the value or the schema',
        ),
    ],
)
def test_faults_of_a_prompts_schema(text: str, sentence: str) -> None:
    assert faults(text) == [sentence]


def test_an_expected_value_need_not_satisfy_a_schema_that_no_prompt_goes_by() -> None:
    text = TWO.replace('user = "Extract: {input}"', 'user = "{input}"\nschema = {}')
    text = text.replace('input = "Alice is 30."', 'input = "Alice is 30."\nexpected = [1]')
    assert load(text).cases[0].expected == [1]
    assert len(faults(text.replace("[1]", "[1, 2, 3]"))) == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "there is no such file; did you mean sub/t.json?"),
        ("{", "this is not JSON: EOF while parsing an object at line 1 column 1; correct it there"),
        ('{"a": 1, "a": 2}', 'this is not JSON: Detected duplicate key "a" at line 1 column 14; correct it there'),
        ("[1]", "must hold a JSON object, not [1]; put the schema there"),
        ("true", "must hold a JSON object, not true; put the schema there"),
        ('{"maximum": 1e999}', "JSON has no inf; write a finite number"),
        ('{"type": "strng"}', 'not a JSON Schema at /type: there is no type "strng"; did you mean "string"?'),
        ('{"$ref": "x"}', '"x" at /$ref leads to nothing inside the schema; put what it means under $defs'),
    ],
)
def test_faults_of_a_schema_file_name_it(content: str | None, sentence: str) -> None:
    Path("sub").mkdir()
    Path("sub/s.json" if content else "sub/t.json").write_text(content or "{}")
    assert faults(FROM_FILE, "sub/people.toml") == [f"sub/people.toml, line 2, schema_file: sub/s.json: {sentence}"]


def test_a_schema_file_that_is_not_utf8() -> None:
    Path("s.json").write_bytes(b'{\n"title": "\xff"}')
    assert faults(FROM_FILE) == [
        "people.toml, line 2, schema_file: s.json, line 2: the byte 0xff is not UTF-8; save the file as UTF-8"
    ]


def test_several_faults_are_several_sentences_in_the_order_of_the_file() -> None:
    assert faults(edited('"bob"', "3").replace('"naive"', '""').replace('name = "people"\n', "")) == [
        'people.toml: the key "name" is missing; add name = "…" at the top of the file',
        "people.toml, line 10, prompt[0].name: must not be empty; give it a name",
        "people.toml, line 17, case[1].id: must be a string, not an integer; write it in quotes",
    ]


def test_many_faults_are_counted_not_listed() -> None:
    lines = faults(GOOD + "[[case]]\n" * 15)
    assert len(lines) == 21
    assert lines[-1] == "and 10 more errors; fix these first"


def test_nothing_hostile_reaches_the_terminal() -> None:
    (fault,) = faults('"\\u001b[31m\\u0007\\u009b\\n" = 1\n' + GOOD)
    assert fault.isprintable()
    assert r"\u001b[31m" in fault
    (fault,) = faults(GOOD + '[[case]]\nid = "x"\ninput = "y"\nexpected = "\\u001b]0;owned\\u0007"\n')
    assert fault.isprintable()
    assert r"\u001b]0;owned\u0007" in fault


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("peple.toml", "peple.toml: there is no such file; did you mean people.toml?"),
        ("other", "other: there is no such file; check the name"),
        ("none/people.toml", "none/people.toml: there is no such file; nor is there a folder none: check the name"),
        ("folder", "folder: this is a folder, not a file; name a file in it"),
        ("/dev/null", "/dev/null: this is not a regular file; name a file"),
        ("people.toml/x", "people.toml/x: cannot be read (Not a directory); fix that or name another file"),
        ("a\0b", r"a\x00b: cannot be read (embedded null byte); fix that or name another file"),
        ("n" * 300, f"{'n' * 300}: cannot be read (File name too long); fix that or name another file"),
    ],
)
def test_paths_that_are_no_suite(path: str, sentence: str) -> None:
    Path("folder").mkdir()
    Path("people.toml").write_text(GOOD)
    with pytest.raises(SuiteError) as caught:
        load_suite(Path(path))
    assert str(caught.value) == sentence


def test_an_unreadable_file() -> None:
    """Root may read anything, so a child that has given up being root tries."""
    Path("people.toml").write_text(GOOD)
    Path("people.toml").chmod(0)
    Path().chmod(0o755)
    code = (
        "import os; from pathlib import Path; from engine.suites.suite import SuiteError, load_suite\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: load_suite(Path('people.toml'))\n"
        "except SuiteError as error: print(error)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "people.toml: cannot be read (Permission denied); fix that or name another file\n"


def test_suites_are_found_by_name() -> None:
    for name in ["b.toml", "a.toml", "notes.md", ".hidden"]:
        Path(name).write_text("")
    Path("folder.toml").mkdir()
    assert find_suites(Path()) == [Path("a.toml"), Path("b.toml")]
    assert find_suites(Path("notes.md")) == [Path("notes.md")]
    assert find_suites(Path("folder.toml")) == []


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("suites", "suites: there is no such file or folder; did you mean suite?"),
        ("nothing", "nothing: there is no such file or folder; check the name"),
        ("a\0b", r"a\x00b: cannot be read (embedded null byte); fix that or name another folder"),
    ],
)
def test_folders_that_are_none(path: str, sentence: str) -> None:
    Path("suite").mkdir()
    with pytest.raises(SuiteError) as caught:
        find_suites(Path(path))
    assert str(caught.value) == sentence


def test_a_suite_error_is_bad_input() -> None:
    assert issubclass(SuiteError, BadInputError)


def test_importing_suites_does_not_import_the_validator() -> None:
    code = "import sys, engine.suites.suite, engine.suites.jobs; print('jsonschema' in sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_suite_of_the_original_script() -> None:
    suite = load_suite(Path(__file__).parents[2] / "suites" / "people.toml")
    assert suite.name == "people"
    assert suite.json_schema == {
        "type": "object",
        "required": ["name", "age"],
        "additionalProperties": False,
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    }
    assert [prompt.name for prompt in suite.prompts] == ["naive", "json-only", "schema", "few-shot"]
    assert suite.prompts[0].user == "Extract the name and age: {input}"
    assert suite.prompts[0].system is None
    assert 24 <= len(suite.cases) <= 60
    for case in suite.cases:
        assert case.tags
        assert case.expected["name"] in case.input
        if not {"words", "computed"} & set(case.tags):
            assert str(case.expected["age"]) in case.input
