"""The options that several commands share, of both programs. Imported for the help: nothing heavy here."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from engine.worker.options import DecodingOptions, EngineOptions

GRAMMARS = ("auto", "outlines_core", "llguidance")  # engine.protocol.commands.GrammarKind, without importing pydantic

DEVICE = click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 or mps.")

MODEL = (
    click.option("--model", metavar="NAME_OR_PATH", help="A transformers model. Default: the built-in one."),
    DEVICE,
    click.option("--dtype", default="auto", show_default=True, help="auto is float32 on a CPU, bfloat16 on a GPU."),
    click.option("--out", type=Path, default=Path("runs"), show_default=True, help="Put run folders here."),
)

ADAPTER = click.option(
    "--adapter",
    "adapters",
    multiple=True,
    metavar="[NAME=]PATH",
    help="A LoRA adapter for the model, in PEFT's format; base is the model alone. May be repeated.",
)

SERVER = (
    click.option(
        "--server",
        metavar="URL",
        help="An OpenAI-compatible server instead of a model here; --model and --adapter are names it serves.",
    ),
    click.option(
        "--api-key-env",
        metavar="VAR",
        help="The environment variable with the server's key. Default: OPENAI_API_KEY, where it is set.",
    ),
    click.option(
        "--concurrency",
        type=click.IntRange(min=1),
        metavar="N",
        help="Send N jobs at once to the server. Default: as many as make it faster.",
    ),
)

REMOTE = click.option(
    "--engine",
    "remote",
    metavar="COMMAND",
    help='An engine elsewhere: "ssh HOST jsonbreak engine". The model\'s options go into that command.',
)

KEEP_RUNNING = click.option(
    "--keep-running", is_flag=True, help="Finish the current run when the parent or the connection is gone."
)

BATCH = click.option(
    "--batch",
    type=click.IntRange(min=1),
    metavar="N",
    help="At most N rows at once. Default: what the memory holds.",
)

GRAMMAR = click.option(
    "--grammar",
    type=click.Choice(GRAMMARS),
    default="auto",
    show_default=True,
    help="What makes masks of a schema; auto is outlines_core, or llguidance where that cannot express it.",
)

PLAIN = click.option("--plain", is_flag=True, help="Lines of text instead of a live display, no colour, no boxes.")


def collect(name: str, make: Callable[..., Any], *options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Declare click parameters for a command, which gets them as one argument `name`: what `make` returns for them."""

    def decorate(command: Any) -> Any:
        others = list(getattr(command, "__click_params__", []))

        @wraps(command)
        def collected(**values: Any) -> Any:
            return command(**{name: make(**{each: values.pop(each) for each in own})}, **values)

        declared: Any = collected
        for option in reversed(options):
            declared = option(declared)
        own = [each.name for each in declared.__click_params__ if each not in others]
        return declared

    return decorate


def engine_options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Collect some of the options above into one EngineOptions, `options`."""
    return collect("options", EngineOptions, *options)


def interface_options(command: Any) -> Any:
    """All options of the interface: EngineOptions as `options`, DecodingOptions as `decoding`."""
    command = collect("decoding", DecodingOptions, BATCH, GRAMMAR)(command)
    return engine_options(*MODEL, ADAPTER, *SERVER, REMOTE)(command)


def default_suites() -> Path:
    """`suites` in the current folder where there is one, else the suites that came with the program."""
    here = Path("suites")
    return here if here.is_dir() else Path(__file__).parents[2] / "suites"
