"""How a request can fail, in words, and whether a retry may help."""

from __future__ import annotations

import email.utils
import json
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2
import openai

from engine.text import printable

_QUOTED_CHARACTERS = 300
_MAX_RETRY_AFTER, _MAX_BACKOFF = 120.0, 20.0  # seconds
_RETRYABLE = (408, 409, 425, 429)
_OVERLOADED = (408, 429, 503)
_UNREACHABLE = (502, 503, 504)  # what a proxy answers when the server behind it is not there, or not yet

FAILURES = (openai.OpenAIError, httpx2.HTTPError, TimeoutError, json.JSONDecodeError, UnicodeDecodeError)
"""What a request can fail with. Any other exception is a bug of this program."""


class BrokenReplyError(openai.OpenAIError):
    """The stream ended before the reply did."""


@dataclass(frozen=True, slots=True)
class RequestFailure:
    """Why a request failed."""

    words: str
    """Part of a sentence that begins with "the server", safe to print."""
    retryable: bool = True
    retry_after: float | None = None
    """Seconds that the server asked to wait."""
    overloaded: bool = False
    """The server had too much to do: fewer requests at once may help."""
    truncated: bool = False
    """The server ended the reply before it was complete."""
    unreachable: bool = False
    unauthorized: bool = False
    """The server does not accept the key."""


def failure_of(error: Exception, key: str) -> RequestFailure:
    """Classify one of FAILURES. key: replaced in the words, wherever it comes from."""
    if isinstance(error, TimeoutError | openai.APITimeoutError):
        return RequestFailure("the server sent nothing for too long", overloaded=True)
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, key)
    if isinstance(error, BrokenReplyError):
        return RequestFailure("the server ended its reply in the middle", overloaded=True, truncated=True)
    if isinstance(error, openai.APIConnectionError | httpx2.HTTPError):
        never_connected = isinstance(error.__cause__, httpx2.ConnectError)
        what = "could not be reached" if never_connected else "closed the connection"
        return RequestFailure(f"the server {what}{_reason(error, key)}", unreachable=True)
    if isinstance(error, openai.APIError):
        return RequestFailure(f"the server reported an error: {quoted_reply(error.message, key)}")
    return RequestFailure("the server sent something that is not a chat completion")


def quoted_reply(text: object, key: str) -> str:
    """What a server says, for a sentence: one line of printable characters, not too long, without the key."""
    words = " ".join(str(text).split())
    if key:
        words = words.replace(key, "[key]")
    words = printable(words).rstrip(".")
    return words if len(words) <= _QUOTED_CHARACTERS else f"{words[:_QUOTED_CHARACTERS]}…"


def delay(attempt: int, retry_after: float | None, backoff: float) -> float:
    """Seconds to wait after the `attempt`th attempt, from 1: what the server asked for, or doubled each time.

    Randomised, so that requests that failed together do not come back together.
    """
    if retry_after is not None:
        return retry_after * random.uniform(1.0, 1.1)
    return float(min(_MAX_BACKOFF, backoff * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0))


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of Retry-After (RFC 9110, 10.2.3), a number or a date; None if it is missing or invalid."""
    value = headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value.strip()):
        return min(float(value), _MAX_RETRY_AFTER)
    try:
        date = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return min(max(0.0, date.timestamp() - time.time()), _MAX_RETRY_AFTER)


def _of_status(error: openai.APIStatusError, key: str) -> RequestFailure:
    status = error.status_code
    words = f"the server answered {status}: {quoted_reply(_message(error), key)}"
    return RequestFailure(
        words,
        retryable=status in _RETRYABLE or status >= 500,
        retry_after=parse_retry_after(error.response.headers),
        overloaded=status in _OVERLOADED,
        unreachable=status in _UNREACHABLE,
        unauthorized=status in (401, 403),
    )


def _message(error: openai.APIStatusError) -> object:
    """The server's own words: what OpenAI calls message, what FastAPI calls detail, or the whole body."""
    body = error.body
    for key in ("message", "detail", "error"):
        if isinstance(body, Mapping) and body.get(key):
            return body[key]
    return body or error.response.reason_phrase or "nothing"


def _reason(error: Exception, key: str) -> str:
    cause = error.__cause__
    return f" ({quoted_reply(cause, key)})" if cause is not None and str(cause) else ""
