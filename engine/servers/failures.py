"""What can go wrong with a request, in words, and whether it is worth asking again."""

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

_LONGEST_WORDS = 300
_LONGEST_WAIT, _MOST_BACKOFF = 120.0, 20.0  # seconds
_AGAIN = (408, 409, 425, 429)
_AWAY = (502, 503, 504)  # what a proxy says where there is no server behind it, or not yet

# What a request can fail with; anything else is a fault of this program.
FAILURES = (openai.OpenAIError, httpx2.HTTPError, TimeoutError, json.JSONDecodeError, UnicodeDecodeError)


class BrokenReplyError(openai.OpenAIError):
    """The stream ended, and the reply had not."""


@dataclass(frozen=True, slots=True)
class RequestFailure:
    """A request that failed. words: for a sentence, safe to print; they begin with "the server" or the like.

    again: asking again may help. after: the server said to wait so many seconds. crowded: it had too much to do.
    cut: it ended the reply in its middle. away: it could not be reached. refused: it does not take the key.
    """

    words: str
    again: bool = True
    after: float | None = None
    crowded: bool = False
    cut: bool = False
    away: bool = False
    refused: bool = False


def trouble_of(error: Exception, key: str) -> RequestFailure:
    """What a failure was. key: is not to be in the words, whoever put it there."""
    if isinstance(error, TimeoutError | openai.APITimeoutError):
        return RequestFailure("the server sent nothing for too long", crowded=True)
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, key)
    if isinstance(error, BrokenReplyError):
        return RequestFailure("the server ended its reply in the middle", crowded=True, cut=True)
    if isinstance(error, openai.APIConnectionError | httpx2.HTTPError):
        refused = isinstance(error.__cause__, httpx2.ConnectError)
        what = "could not be reached" if refused else "broke the connection off"
        return RequestFailure(f"the server {what}{_reason(error, key)}", away=True)
    if isinstance(error, openai.APIError):
        return RequestFailure(f"the server reported an error: {said(error.message, key)}")
    return RequestFailure("the server sent what is no chat completion")


def said(text: object, key: str) -> str:
    """What a server says, for a sentence: one line of printable characters, not too long, without the key."""
    words = " ".join(str(text).split())
    if key:
        words = words.replace(key, "[key]")
    words = printable(words).rstrip(".")
    return words if len(words) <= _LONGEST_WORDS else f"{words[:_LONGEST_WORDS]}…"


def delay(attempt: int, after: float | None, backoff: float) -> float:
    """Seconds to wait before asking again, for the `attempt`th time, from 1: what the server said, or ever longer.

    With some chance in it, so that requests that failed together do not come back together.
    """
    if after is not None:
        return after * random.uniform(1.0, 1.1)
    return float(min(_MOST_BACKOFF, backoff * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of Retry-After (RFC 9110, 10.2.3), a number or a date; None where it says nothing of use."""
    value = headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value.strip()):
        return min(float(value), _LONGEST_WAIT)
    try:
        date = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return min(max(0.0, date.timestamp() - time.time()), _LONGEST_WAIT)


def _of_status(error: openai.APIStatusError, key: str) -> RequestFailure:
    status = error.status_code
    words = f"the server answered {status}: {said(_message(error), key)}"
    return RequestFailure(
        words,
        again=status in _AGAIN or status >= 500,
        after=retry_after(error.response.headers),
        crowded=status in (408, 429, 503),
        away=status in _AWAY,
        refused=status in (401, 403),
    )


def _message(error: openai.APIStatusError) -> object:
    """The server's own words: what OpenAI calls message, what FastAPI calls detail, or all that it said."""
    body = error.body
    for key in ("message", "detail", "error"):
        if isinstance(body, Mapping) and body.get(key):
            return body[key]
    return body or error.response.reason_phrase or "nothing"


def _reason(error: Exception, key: str) -> str:
    cause = error.__cause__
    return f" ({said(cause, key)})" if cause is not None and str(cause) else ""
