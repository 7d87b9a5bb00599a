"""An engine that replays a script: `python scripted_engine.py STEPS.json`.

It stands in for the engine child where a test needs events the real one gives only by chance (a death in the middle
of a reply, a reply of 100,000 characters, a certain moment held still). A step is an event of
engine/protocol/events.py as JSON, or an order: {"do": "expect", "type": T} waits for a command, {"do": "gate",
"name": N} waits until the file N exists beside the script, "keep_running" takes no notice of a stdin that closes, and
"sleep", "stderr", "raw" and "exit" do what they say. When the steps are done it begins again with the next start_run;
it ends when stdin closes, and ends a run at stop_run.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any


class Stopped(Exception):
    """The run is to end."""


class Script:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.steps: list[dict[str, Any]] = json.loads(path.read_text())
        self.commands: list[dict[str, Any]] = []
        self.ended = self.keeps_running = False
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        with self.path.with_suffix(".received").open("a") as received:
            for line in sys.stdin:
                received.write(line)
                received.flush()
                self.commands.append(json.loads(line))
        self.ended = not self.keeps_running

    def take(self, kind: str) -> bool:
        for command in self.commands:
            if command["type"] == kind:
                self.commands.remove(command)
                return True
        return False

    def until(self, condition: Any, stops: bool = True) -> None:
        while not condition():
            if stops and self.take("stop_run"):
                raise Stopped
            if self.ended:
                sys.exit(0)
            time.sleep(0.005)

    def say(self, event: dict[str, Any]) -> None:
        print(json.dumps(event), flush=True)

    def play(self) -> None:
        for step in self.steps:
            match step.get("do"):
                case None:
                    self.say(step)
                case "expect":
                    self.until(lambda kind=step["type"]: self.take(kind), step["type"] != "stop_run")
                case "gate":
                    self.until((self.path.parent / step["name"]).exists)
                case "keep_running":
                    self.keeps_running = True
                case "sleep":
                    end = time.monotonic() + step["seconds"]
                    self.until(lambda end=end: time.monotonic() > end)
                case "stderr":
                    print(step["text"], file=sys.stderr, flush=True)
                case "raw":
                    print(step["line"], flush=True)
                case "exit":
                    sys.exit(step["code"])

    def run(self) -> None:
        while True:
            try:
                self.play()
            except Stopped:
                self.say(
                    {"type": "run_finished", "folder": "runs/x", "done": 0, "total": 0, "stopped": True, "seconds": 1}
                )
            if self.ended:
                return


if __name__ == "__main__":
    Script(Path(sys.argv[1])).run()
