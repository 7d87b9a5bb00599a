"""The schemas of a suite, of its prompts and of other files, and expected values that contradict them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.suites.people import ALICE, CASES, FROM_FILE, GOOD, HEAD, edited, faults, load

pytestmark = pytest.mark.usefixtures("in_its_own_folder")

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
