"""Whatever is wrong with a suite, in one sentence with file, line, key and remedy."""

from __future__ import annotations

import pytest

from tests.suites.people import ALICE, CASES, GOOD, HEAD, edited, faults

pytestmark = pytest.mark.usefixtures("in_its_own_folder")

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
