"""Suite files for tests, written where a test wants them."""

from __future__ import annotations

from pathlib import Path

PERSON_SCHEMA = """
[schema]
type = "object"
required = ["name", "age"]
additionalProperties = false
[schema.properties.name]
type = "string"
[schema.properties.age]
type = "integer"
"""

CASES = """
[[case]]
id = "alice"
input = "My name is Alice and I am 30 years old."
expected = { name = "Alice", age = 30 }
[[case]]
id = "bob"
input = "Bob is 25."
expected = { name = "Bob", age = 25 }
"""


def numbered_cases(count: int) -> str:
    """The [[case]] tables of this many people, c0 and on."""
    return "".join(f'[[case]]\nid = "c{n}"\ninput = "Person {n} is {n} years old."\n' for n in range(count))


def write_suite(
    folder: Path,
    *,
    name: str = "small",
    generation: str = "max_new_tokens = 24",
    schema: str = PERSON_SCHEMA,
    prompts: str = '[[prompt]]\nname = "naive"\nuser = "Extract the name and age: {input}"\n',
    cases: str = CASES,
) -> Path:
    """A suite; of two short jobs by default."""
    file = folder / f"{name}.toml"
    file.write_text(f'name = "{name}"\n[generation]\n{generation}\n{schema}\n{prompts}\n{cases}', encoding="utf-8")
    return file
