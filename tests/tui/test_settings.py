"""The user's settings: read, refused in a sentence, and what they change on the screen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import BadInputError
from engine.worker.options import EngineOptions
from tests.helpers import story
from tests.helpers.stage import OpenStage, Stage
from tui import keymap, keys
from tui.app import JsonbreakApp
from tui.settings import Settings, default_settings
from tui.settings_reading import read_settings
from tui.themes import NAMES


def read(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    return read_settings(file)


def test_without_a_file_a_run_keeps_running_over_ssh_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    assert default_settings() == Settings(None, False, {})
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22")
    assert default_settings().keep_running
    assert not read(tmp_path, "keep_running = false").keep_running


def test_what_is_set_is_read(tmp_path: Path) -> None:
    text = (
        'theme = "light"\nkeep_running = true\n[keys]\n"run.next_broken" = "ctrl+n, ;"\nbrowse.run = "f9"\nhelp = "f12"'
    )
    remapped = {"run.next_broken": "ctrl+n, ;", "browse.run": "f9", "help": "f12"}
    assert read(tmp_path, text) == Settings("light", True, remapped)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('theme = "drak"', 'line 1, theme: there is no theme "drak"; did you mean "dark"?'),
        (
            "theme = [1]",
            "line 1, theme: there is no theme [1]; known here: ansi-dark, ansi-light, contrast, dark, light",
        ),
        ('\nkeep_running = "yes"', "line 2, keep_running: must be true or false, not a string; write one of the two"),
        ('themes = "dark"', 'line 1, themes: unknown key "themes"; did you mean "theme"?'),
        ('keys = "x"', "line 1, keys: must be a table, not a string; write [keys]"),
        ('[keys]\nrun.nxet_broken = "x"', 'line 2, keys.run.nxet_broken: no key has this name; did you mean "run.next'),
        ('[keys]\n"run.filter" = 5', 'must be a key, or several with commas, such as "ctrl+n,f9", not an integer'),
        ('[keys]\nrun.filter = "a,,b"', 'must be a key, or several with commas, such as "ctrl+n,f9", not "a,,b"'),
        ('[keys]\nhelp = ""', 'must be a key, or several with commas, such as "ctrl+n,f9", not ""'),
        ('[keys]\nrun.filter = "F7"', 'line 2, keys.run.filter: there is no key "F7"; did you mean "f7"?'),
        ('[keys]\nrun.filter = "n"', 'line 2, keys.run.filter: "n" is the key of run.next_broken at the same time;'),
        ('[keys]\nhelp = "R"', 'line 2, keys.help: "R" is the key of run.rerun at the same time; take another'),
        ('[keys]\nbrowse.run = "j"', '"j" is the key of move.vi_down at the same time; take another'),
        ('theme = "dark\n', "line 1, column 14: this is not TOML"),
    ],
)
def test_a_mistake_is_a_sentence_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(BadInputError) as refused:
        read(tmp_path, text)
    assert sentence in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path / "settings.toml"))
    assert "\n" not in str(refused.value)


def test_two_keys_may_change_places(tmp_path: Path) -> None:
    assert read(tmp_path, '[keys]\nrun.next_broken = "N"\nrun.previous_broken = "n"').keys == {
        "run.next_broken": "N",
        "run.previous_broken": "n",
    }


def test_every_key_has_a_name_of_its_own_and_means_one_thing_at_a_time() -> None:
    lists = [each for name, each in vars(keys).items() if name.isupper() and name != "PANES"]
    named = {name: binding for bindings in lists for name, binding in keymap.named(bindings).items()}
    assert set(named) == set(keymap.NAMES)
    assert all(binding.tooltip and binding.description for binding in named.values())
    assert [name for name, each in named.items() if keymap.unknown_keys(each.key)] == []
    assert keymap.clashes({name: each.key for name, each in named.items()}) == []


def test_the_program_refuses_bad_settings_with_exit_code_2(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "jsonbreak"
    folder.mkdir(parents=True)
    (folder / "settings.toml").write_text('theme = "drak"')
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    command = [sys.executable, "-c", _WITH_A_TERMINAL, sys.executable, "-m", "tui", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout.strip().endswith('theme: there is no theme "drak"; did you mean "dark"?')
    assert done.returncode == 2


_WITH_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


async def test_remapped_keys_work_and_the_help_the_footer_and_the_palette_tell_of_them(tmp_path: Path) -> None:
    settings = Settings("contrast", keys={"browse.schema": "f9,ctrl+n", "browse.filter": "?", "help": "f1"})
    suites = story.suite_folder(tmp_path / "suites")
    app = JsonbreakApp(
        suites, story.command([], tmp_path), tmp_path / "log", options=EngineOptions(out=tmp_path), settings=settings
    )
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        it = Stage(app, pilot, tmp_path)
        assert app.theme == "contrast"
        await it.sees("[1 prompts]", "? filter", "F1 help")
        await it.press("2")
        assert "[1 prompts]" in it.text
        await it.press("ctrl+n")
        await it.sees("[2 schema]")
        await it.press("f1")
        await it.sees("F9 ctrl+n    show the JSON Schema", "?            filter the suites by text")
        await it.press("escape", "ctrl+p")
        await it.sees("F9           show the JSON Schema")


async def test_the_palette_does_what_a_key_does(stage: OpenStage) -> None:
    async with stage() as it:
        await it.sees("[1 prompts]")
        await it.press("ctrl+p")
        await it.sees("Search for a command", "1            show the prompts as written", "F2           the next theme")
        await it.press(*"schema", "enter")
        await it.sees("[2 schema]", '"additionalProperties": false')
        await it.press("ctrl+p", *"e light", "enter")
        await it.until(lambda: it.app.theme == "light")
        await it.press("r")
        await it.until(lambda: it.app.runner is not None)
        await it.press("ctrl+p")
        await it.sees("n            to the next broken free reply")
        await it.press(*"matrix")  # as the footer calls it
        await it.sees("m            prompts by variations")


async def test_f2_goes_through_the_themes_and_says_which(stage: OpenStage) -> None:
    async with stage() as it:
        await it.sees("[1 prompts]")
        assert it.app.theme == "dark"
        await it.press("f2")
        await it.sees("Theme: light.", "settings.toml")
        await it.press(*["f2"] * (len(NAMES) - 2))
        assert it.app.theme == NAMES[-1]
        await it.press("f2")
        assert it.app.theme == "dark"


async def test_a_theme_from_the_environment_has_its_colours(tmp_path: Path) -> None:
    program = (
        "import asyncio, pathlib; from tui.app import JsonbreakApp\n"
        "async def main():\n"
        "    app = JsonbreakApp(pathlib.Path('suites'), ['true'], pathlib.Path('log'))\n"
        "    async with app.run_test():\n"
        "        print(app.screen.styles.background.hex == app.current_theme.background.upper())\n"
        "asyncio.run(main())"
    )
    environment = {**os.environ, "TEXTUAL_THEME": "light", "PYTHONPATH": str(Path(__file__).parents[2])}
    (tmp_path / "suites").mkdir()
    said = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True)
    assert said.stdout == b"True\n", said.stderr
