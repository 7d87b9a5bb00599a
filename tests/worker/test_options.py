"""One object for the options of an engine: the arguments made of it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.main import cli
from engine.errors import BadInputError
from engine.worker.options import EngineOptions

ALL = EngineOptions(
    model="m",
    device="cuda:1",
    dtype="float32",
    out=Path("r"),
    adapters=("a=b", "base"),
    server="http://host",
    api_key_env="KEY",
    concurrency=2,
    keep_running=True,
)


@pytest.mark.parametrize("options", [EngineOptions(), ALL], ids=["usual", "all"])
def test_a_child_process_is_given_the_same_options(options: EngineOptions) -> None:
    name, *argv = options.to_argv()
    params = cli.commands[name].make_context(name, argv).params
    assert params.pop("log") is None
    assert EngineOptions(**params) == options


def test_an_engine_elsewhere_is_given_the_command_and_the_folder() -> None:
    argv = EngineOptions(remote="ssh host jsonbreak engine", out=Path("r"), keep_running=True).to_argv()
    assert argv == ["bridge", "--command", "ssh host jsonbreak engine", "--out", "r", "--keep-running"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (EngineOptions(remote="ssh host", model="m"), "with --engine the model's options go into its command"),
        (EngineOptions(remote="ssh host", adapters=("a",)), "--adapter is for an engine on this machine"),
        (EngineOptions(server="http://host", dtype="float32"), "--dtype is for a model on this machine"),
        (EngineOptions(api_key_env="KEY"), "--api-key-env is for a server"),
        (EngineOptions(model="./nowhere"), "There is no folder ./nowhere."),
        (EngineOptions(adapters=("nowhere",)), "--adapter: nowhere is not there"),
    ],
)
def test_options_that_exclude_each_other_are_refused(options: EngineOptions, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        options.check()
