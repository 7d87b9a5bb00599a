"""The options that the commands of both programs share. Imported for the help: nothing heavy here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

GRAMMARS = ("auto", "outlines_core", "llguidance")  # engine.protocol.commands.GrammarKind, without importing pydantic


def model_options(command: Any) -> Any:
    """Choose a model and where it runs: model, device, dtype, out."""
    for option in (
        click.option("--out", type=Path, default=Path("runs"), show_default=True, help="Put run folders here."),
        click.option("--dtype", default="auto", show_default=True, help="auto is float32 on a CPU, bfloat16 on a GPU."),
        click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 or mps."),
        click.option("--model", metavar="NAME_OR_PATH", help="A transformers model. Default: the built-in one."),
    ):
        command = option(command)
    return command


adapter_option = click.option(
    "--adapter",
    "adapters",
    multiple=True,
    metavar="[NAME=]PATH",
    help="A LoRA adapter for the model, in PEFT's format; base is the model alone. May be repeated.",
)

batch_option = click.option(
    "--batch",
    type=click.IntRange(min=1),
    metavar="N",
    help="At most N rows at once. Default: what the memory holds.",
)


def server_options(command: Any) -> Any:
    """Choose a server instead of a model on this machine: server, api_key_env, concurrency."""
    for option in (
        click.option(
            "--concurrency",
            type=click.IntRange(min=1),
            metavar="N",
            help="Send N jobs at once to the server. Default: as many as make it faster.",
        ),
        click.option(
            "--api-key-env",
            metavar="VAR",
            help="The environment variable with the server's key. Default: OPENAI_API_KEY, where it is set.",
        ),
        click.option(
            "--server",
            metavar="URL",
            help="An OpenAI-compatible server instead of a model here; --model and --adapter are names it serves.",
        ),
    ):
        command = option(command)
    return command


def server_arguments(server: str | None, api_key_env: str | None, concurrency: int | None) -> list[str]:
    """The same options for another command."""
    arguments = ["--server", server] if server else []
    arguments += ["--api-key-env", api_key_env] if api_key_env else []
    return arguments + (["--concurrency", str(concurrency)] if concurrency else [])


engine_option = click.option(
    "--engine",
    metavar="COMMAND",
    help='An engine elsewhere: "ssh HOST jsonbreak engine". The model\'s options go into that command.',
)


def decoding_options(command: Any) -> Any:
    """Choose how a run is decoded: batch, grammar."""
    for option in (
        click.option(
            "--grammar",
            type=click.Choice(GRAMMARS),
            default="auto",
            show_default=True,
            help="What makes masks of a schema; auto is outlines_core, or llguidance where that cannot express it.",
        ),
        batch_option,
    ):
        command = option(command)
    return command


def default_suites() -> Path:
    """`suites` in the current folder where there is one, else the suites that came with the program."""
    here = Path("suites")
    return here if here.is_dir() else Path(__file__).parents[2] / "suites"
