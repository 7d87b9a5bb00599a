"""Which server the user asks for, and the key for it. Light: options are checked before anything heavy is imported."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from engine.errors import BadInputError
from engine.records import BASE
from engine.text import printable

DEFAULT_KEY_VAR = "OPENAI_API_KEY"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long a request is tried."""

    attempts: int = 6
    """How often a request is sent at most."""
    backoff: float = 0.5
    """Seconds before the second attempt, doubled before each further one."""
    silence: float = 120.0
    """Seconds without any data after which an attempt has failed."""
    connect: float = 10.0
    """Seconds that opening a connection may take."""


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """What the user asked for. Use `server_spec`."""

    url: str
    """The base of its addresses, such as http://host:8000/v1, without credentials."""
    key: str = field(repr=False, default="")
    """Sent with each request, "" for none. Not in the repr, so that it ends up in no log."""
    model: str | None = None
    """None for the only model that is served."""
    concurrency: int | None = None
    """How many jobs at once; None to adapt to the server."""
    retry: RetryPolicy = RetryPolicy()


def server_spec(url: str, model: str | None, key_var: str | None, concurrency: int | None) -> ServerSpec:
    """key_var: the environment variable with the key; None is OPENAI_API_KEY, if it is set.

    Raises BadInputError for an invalid address, one with credentials, and a variable that is not set.
    """
    key = os.environ.get(key_var or DEFAULT_KEY_VAR, "")
    if key_var is not None and not key:
        raise BadInputError(f"--api-key-env {printable(key_var)}: this environment variable is not set; set it first.")
    return ServerSpec(_base_url(url), key, model, concurrency)


def served_adapters(given: Sequence[str]) -> list[str | None]:
    """The name of what the server serves for each `--adapter`; None is the model itself."""
    for name in given:
        if given.count(name) > 1:
            raise BadInputError(f"--adapter: {printable(name)} is given twice; give it once.")
    return [None if name == BASE else name for name in given]


def _base_url(url: str) -> str:
    """The address with its path: /v1 where it has none, as servers have it and as the client expects it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # the port is not a number
        usable = False
    if not usable:
        raise BadInputError(
            f"--server {_without_secrets(url)}: this is no address; give one such as http://localhost:8000/v1."
        )
    if parts.username is not None or parts.password is not None:
        remedy = "put the key into an environment variable and name that with --api-key-env"
        raise BadInputError(f"--server: the address holds a user or a password, which would be stored; {remedy}.")
    if parts.query or parts.fragment:
        raise BadInputError(f"--server {_without_secrets(url)}: leave out what follows the path of the address.")
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") or "/v1", "", ""))


def _without_secrets(url: str) -> str:
    """An address for an error message, without the parts before @ and after ? and #, where keys may be."""
    bare = url.split("?")[0].split("#")[0]
    scheme, separator, rest = bare.rpartition("://")
    return printable(scheme + separator + rest.rpartition("@")[2])
