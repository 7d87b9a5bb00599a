"""What the interface may load: never a model's libraries, and for the first paint as little as can be."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("torch", "transformers", "outlines", "outlines_core", "accelerate", "numpy")


def loaded(code: str, *names: str) -> set[str]:
    """Which of the modules are loaded after running some code in a fresh interpreter."""
    test = f"{code}\nimport sys; print(*[n for n in {names!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", test], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_interface_loads_no_model_library() -> None:
    every = (
        "import pkgutil, importlib, tui\n"
        "for m in pkgutil.walk_packages(tui.__path__, 'tui.'): importlib.import_module(m.name)"
    )
    assert loaded(every, *HEAVY, "tui.screens.run", "engine.protocol.events") == {
        "tui.screens.run",
        "engine.protocol.events",
    }


def test_the_first_screen_does_not_wait_for_pydantic() -> None:
    assert loaded("import tui.app", "textual", "pydantic", "jsonschema", *HEAVY) == {"textual"}


def test_arguments_are_checked_before_textual_is_loaded() -> None:
    assert loaded("import tui.__main__", "textual", "click") == {"click"}
