"""The options of an engine, as one object from the command line to the session.

Imported for `--help` and before the first paint: nothing heavy is imported at the top of this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import BadInputError

if TYPE_CHECKING:
    from engine.models.adapter_folder import AdapterFolder
    from engine.protocol.commands import GrammarKind
    from engine.servers.spec import ServerSpec


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """How the interface asks for each run to be decoded, see engine.protocol.commands.StartRun."""

    batch: int | None = None
    grammar: GrammarKind = "auto"


@dataclass(frozen=True)  # without slots: its cached properties need a __dict__
class EngineOptions:
    """Which model answers, where it runs, and where its runs are stored."""

    model: str | None = None
    """A folder or a name on the hub, None for the built-in model; with `server`, the name of a model it serves."""

    device: str = "auto"
    dtype: str = "auto"

    out: Path = Path("runs")
    """The folder of the runs."""

    adapters: tuple[str, ...] = ()
    """As `--adapter` takes them: `[NAME=]PATH`, or names on a server."""

    server: str | None = None
    """The address of a server that answers instead of a model on this machine."""

    api_key_env: str | None = None
    """The environment variable with the server's key."""

    concurrency: int | None = None
    """How many requests to send at once, None for as many as make the server faster."""

    keep_running: bool = False
    """Whether the engine finishes its current run after its parent has exited."""

    remote: str | None = None
    """The shell command that starts an engine elsewhere; only `out` and `keep_running` apply to it."""

    def check(self, batch: int | None = None, grammar: str = "auto") -> None:
        """Raises BadInputError for options that exclude each other, a bad address, a missing model, a broken adapter.

        batch, grammar: the options for decoding, which not every combination allows.
        """
        if self.remote is not None:
            self._check_remote()
        for option, value in (("--api-key-env", self.api_key_env), ("--concurrency", self.concurrency)):
            if self.server is None and value is not None:
                raise BadInputError(f"{option} is for a server; name that with --server.")
        local = {"--device": self.device != "auto", "--dtype": self.dtype != "auto"}
        local |= {"--batch": batch is not None, "--grammar": grammar != "auto"}
        for option, is_given in local.items():
            if self.server is not None and is_given:
                raise BadInputError(f"{option} is for a model on this machine; leave it out with --server.")
        if self.server is None and self.model is not None:
            from engine.models.local import local_folder

            local_folder(self.model)
        _ = self.server_spec, self.adapter_names  # each raises where it cannot be had

    def _check_remote(self) -> None:
        if self.adapters:
            raise BadInputError("--adapter is for an engine on this machine; leave out --engine.")
        if EngineOptions(out=self.out, keep_running=self.keep_running, remote=self.remote) != self:
            command = "ssh HOST jsonbreak engine --model NAME"
            raise BadInputError(f"with --engine the model's options go into its command: {command}.")

    @cached_property
    def server_spec(self) -> ServerSpec | None:
        """The server that answers, None for a model on this machine. Raises BadInputError."""
        if self.server is None:
            return None
        from engine.servers.spec import server_spec

        return server_spec(self.server, self.model, self.api_key_env, self.concurrency)

    @cached_property
    def adapter_folders(self) -> tuple[AdapterFolder | None, ...]:
        """The adapters on this machine, None for the model alone; empty with a server. Raises BadInputError."""
        if self.server is not None:
            return ()
        from engine.models.adapter_folder import read_adapters

        return read_adapters(self.adapters)

    @cached_property
    def adapter_names(self) -> tuple[str | None, ...]:
        """What runs call the adapters, in order; None is the model alone. Raises BadInputError."""
        if self.server is None:
            return tuple(each.name if each else None for each in self.adapter_folders)
        from engine.servers.spec import served_adapters

        return tuple(served_adapters(self.adapters))

    def to_argv(self) -> list[str]:
        """The arguments of `python -m engine` for a child process with these options."""
        if self.remote is not None:
            argv = ["bridge", "--command", self.remote]
        else:
            argv = ["worker", "--device", self.device, "--dtype", self.dtype]
            argv += [f"--adapter={each}" for each in self.adapters]
            texts = {"--model": self.model, "--server": self.server, "--api-key-env": self.api_key_env}
            for option, value in (texts | {"--concurrency": self.concurrency}).items():
                argv += [option, str(value)] if value else []
        return [*argv, "--out", str(self.out), *(["--keep-running"] if self.keep_running else [])]
