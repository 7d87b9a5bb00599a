"""Models of the hub: its client is real, the server is a small one here."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from engine.records import Message
from tests.models.loading import load

HELLO: list[Message] = [{"role": "user", "content": "hello world"}]
NO_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")


COMMIT = "0123456789abcdef0123456789abcdef01234567"
ASK = """
import json, sys
from engine.models.hub import model_folder
from engine.errors import BadInputError
for name in sys.argv[2:]:
    steps = []
    try:
        answer = str(model_folder(name, lambda event: steps.append(event.step), weights=sys.argv[1] == "all"))
    except BadInputError as error:
        answer = str(error)
    print(json.dumps([answer, sorted(set(steps))]))
"""


@contextlib.contextmanager
def hub(folder: Path) -> Iterator[str]:
    """A server that has one model, some/tiny, knows of a gated one, some/gated, and of no other."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.startswith("/api/models/some/gated"):
                self.answer(403, b"{}", **{"X-Error-Code": "GatedRepo"})
            elif path in ("/api/models/some/tiny", "/api/models/some/tiny/revision/main"):
                self.answer(200, json.dumps({"id": "some/tiny", "sha": COMMIT, "siblings": []}).encode())
            elif path == f"/api/models/some/tiny/tree/{COMMIT}":
                files = sorted(folder.iterdir())
                entries = [
                    {"type": "file", "oid": "0", "path": file.name, "size": file.stat().st_size} for file in files
                ]
                self.answer(200, json.dumps(entries).encode())
            elif path.startswith(f"/some/tiny/resolve/{COMMIT}/"):
                content = (folder / path.rpartition("/")[2]).read_bytes()
                self.answer(200, content, ETag=f'"{path.rpartition("/")[2]}"', **{"X-Repo-Commit": COMMIT})
            else:
                self.answer(404, b"{}", **{"X-Error-Code": "RepoNotFound"})

        do_HEAD = do_GET

        def answer(self, status: int, content: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def ask(address: str, home: Path, *names: str, what: str = "all") -> list[tuple[str, list[str]]]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "0", "HF_ENDPOINT": address, "HF_HOME": str(home)}
    ended = subprocess.run(
        [sys.executable, "-c", ASK, what, *names], env=environment, capture_output=True, text=True, timeout=120
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return [tuple(json.loads(line)) for line in ended.stdout.splitlines()]


def test_models_of_the_hub(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub(whole) as address:
        ((folder, _),) = ask(address, tmp_path, "some/tiny", what="no weights")
        assert {file.name for file in Path(folder).iterdir()} >= {"tokenizer.json", "chat_template.jinja"}
        assert not list(Path(folder).glob("*.safetensors"))
        found, unknown, gated = ask(address, tmp_path, "some/tiny", "some/other", "some/gated")
    assert found[1] == ["downloading some/tiny from the hub"]
    assert Path(found[0]).is_relative_to(tmp_path)
    assert unknown[0] == (
        "There is no folder some/other, and the hub knows no model of that name (or it is private: `hf auth login`)."
    )
    assert gated[0].startswith("some/gated is gated: accept its terms")
    again, unknown = ask("http://127.0.0.1:9", tmp_path, "some/tiny", "some/other")  # nobody listens there
    assert again == found
    assert unknown[0].endswith("no such model was downloaded from the hub before; the hub cannot be reached.")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    assert load("some/tiny").name == "some/tiny"
