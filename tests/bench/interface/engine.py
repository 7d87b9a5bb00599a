"""An engine that streams at a rate: `python -m tests.bench.interface.engine '{"jobs": 200, ...}'`.

It says what the real one says, in the same portions and at the same intervals, with no model behind it.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace
from itertools import cycle

from engine.protocol import events
from engine.records import ARMS, Arm, Record, Reply
from engine.running.streaming import Meter, TextBatches
from tests.helpers import story

BROKEN_EVERY = 7  # of the finished jobs, number 0, 7, 14 ... are broken
_STEP = 0.01  # seconds
_PERSON = {
    "name": "Alice Example",
    "age": 30,
    "employer": "Example and Sons, Springfield",
    "occupation": "clerk in the office for lost things",
    "languages": ["English", "Portuguese", "a little Greek"],
    "note": "She says that she is thirty years old and has worked there since spring.",
}
_REPLY = json.dumps(_PERSON, indent=2) + "\n"  # 24 characters a line
_BROKEN = story.broken("prose_before", 0, 6, "There are 6 characters of prose before the JSON value.", schema=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """jobs: how many there are. finished: the first of them, done when the run begins. streaming: how many follow.

    rate: tokens a second of each arm of each of those. seconds: how long they stream; then they are finished, too, and
    the run is over, if it is over then. At a pause everything stands still.
    """

    jobs: int = 200
    finished: int = 40
    streaming: int = 1
    rate: float = 100.0
    seconds: float = 600.0

    def command(self) -> list[str]:
        """The command line of an engine with this plan."""
        return [sys.executable, "-m", "tests.bench.interface.engine", json.dumps(asdict(self))]


def case_name(number: int) -> str:
    """The case of a job, which is nowhere else on the screen."""
    return f"c{number:05}"


class Engine:
    """Plays a plan once for each start_run."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._paused = self._stopped = False
        self._order = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def run(self) -> None:
        """Wait for the order, and play."""
        self._order.wait()
        plan = self._plan
        infos = [story.info("json-only", case_name(number)) for number in range(plan.jobs)]
        for event in (*story.MODEL_LOADS, story.started(infos)):
            _say(event)
        for number in range(plan.finished):
            _say(events.JobFinished(_record(number, _REPLY)))
        self._stream()
        _say(story.finished(plan.finished + plan.streaming, plan.jobs, stopped=self._stopped))
        self._order.clear()

    def _stream(self) -> None:
        """Tokens of all streaming jobs, evenly, as the real decoder would hand them to its batches of text."""
        plan = self._plan
        numbers = range(plan.finished, plan.finished + plan.streaming)
        texts: dict[int, str] = dict.fromkeys(numbers, "")
        batches, meter = TextBatches(_say), Meter(plan.jobs, _say)
        meter.done = plan.finished
        for number in numbers:
            _say(events.JobStarted(_id(number)))
            _say(events.Forked(_id(number), story.fork(0, 0)))
        tokens = cycle(_REPLY[at : at + 4] for at in range(0, len(_REPLY), 4))
        begun, sent = time.monotonic(), 0
        while not self._stopped and (elapsed := time.monotonic() - begun) < plan.seconds:
            if self._paused:
                begun += _STEP
            else:
                for _ in range(int(elapsed * plan.rate) - sent):
                    token = next(tokens)
                    sent += 1
                    for number in numbers:
                        texts[number] += token
                        for arm in ARMS:
                            batches.add(_id(number), arm, token)
                            meter.count_token()
                batches.send_if_due()
                meter.send_if_due(plan.streaming)
            time.sleep(_STEP)
        batches.send()
        for number, text in texts.items():
            _say(events.JobFinished(_record(number, text)))

    def _listen(self) -> None:
        for line in sys.stdin:
            match json.loads(line):
                case {"type": "start_run"}:
                    self._order.set()
                case {"type": "stop_run"}:
                    self._stopped = True
                case {"type": "pause", "paused": paused}:
                    self._paused = paused
                    _say(events.Paused(paused))
        self._stopped = True
        self._order.set()


def _record(number: int, text: str) -> Record:
    broken = number % BROKEN_EVERY == 0
    replies: dict[Arm, Reply] = {
        "free": story.reply(f"Sure:\n{text}", _BROKEN) if broken else story.reply(text, story.ok()),
        "constrained": story.reply(text, story.ok()),
    }
    replies = {arm: _with_tokens(reply) for arm, reply in replies.items()}
    return story.record("json-only", case_name(number), **replies, fork=story.fork(0, 0) if broken else None)


def _with_tokens(reply: Reply) -> Reply:
    """With the probabilities and ends of its tokens, which the token view shows."""
    ends = tuple(range(4, 4 * len(reply.tokens) + 1, 4))
    return replace(reply, p=tuple(0.5 + 0.5 / (1 + number % 9) for number in range(len(ends))), ends=ends)


def _id(number: int) -> str:
    return story.job_id("json-only", case_name(number))


def _say(event: events.Event) -> None:
    sys.stdout.buffer.write(events.encode_event(event))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    Engine(Plan(**json.loads(sys.argv[1]))).run()
