"""The page in a real browser: nothing in it takes effect, it fits a phone, and it follows the reader's colours."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from engine.reports.run.report import report
from tests.helpers.made_runs import EXPECTED, MANIFEST, Made, write_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ATTACKS = (
    "<script>parent.document.title = 'owned'</script>",
    "<img src=x onerror=\"parent.document.title = 'owned'\">",
    "</style></title></pre><svg onload=\"parent.document.title = 'owned'\">",
    "{" + "long" * 300 + "}",
)
# A frame of the same origin, whose content the page around it may measure.
HARNESS = """<!DOCTYPE html><title>untouched</title>
<iframe width="400" height="800" style="border: 0" srcdoc="{page}"></iframe>
<iframe width="1280" height="800" style="border: 0" srcdoc="{page}"></iframe>
<pre id="found"></pre>
<script>
addEventListener("load", () => {{
  const seen = [...document.querySelectorAll("iframe")].map((frame) => {{
    const page = frame.contentDocument;
    page.querySelectorAll("details").forEach((each) => {{ each.open = true; }});
    return {{
      width: page.documentElement.scrollWidth,
      ground: getComputedStyle(page.documentElement).backgroundColor,
      ink: getComputedStyle(page.documentElement).color,
      broken: [...page.querySelectorAll("mark")].length,
      foreign: page.querySelectorAll("script, img, main svg[onload]").length,
    }};
  }});
  document.getElementById("found").textContent = JSON.stringify([document.title, ...seen]);
}});
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_the_page_on_a_phone_and_on_a_desk_in_the_dark(tmp_path: Path) -> None:
    prompts = [{"name": text, "user": text} for text in ATTACKS]
    jobs = [
        Made(text, json.dumps({"name": text}), case=text, prompt=text, input=text, expected=EXPECTED, variation=text)
        for text in ATTACKS
    ]
    run = write_run(tmp_path, jobs, {**MANIFEST, "prompts": prompts, "suite": ATTACKS[0], "model": ATTACKS[1]})
    page = "".join(report(str(run), tmp_path, html=True))
    (tmp_path / "harness.html").write_text(HARNESS.format(page=escape(page)), encoding="utf-8")
    title, *frames = look(tmp_path)
    assert title == "untouched", "a script in a reply has run"
    for frame, width in zip(frames, (400, 1280), strict=True):
        assert frame["width"] <= width, "the page is wider than its window"
        assert frame["foreign"] == 0
        assert frame["broken"] > 0
        assert brightness(frame["ground"]) < 60, "the reader prefers dark"
        assert brightness(frame["ink"]) > 200


def look(folder: Path) -> Any:
    """What the harness found in the page, in a browser that prefers dark."""
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    dark = "--blink-settings=preferredColorScheme=0"
    command = [str(CHROMIUM), *options, dark, "--dump-dom", (folder / "harness.html").as_uri()]
    finished = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found = re.search(r'<pre id="found">(.*?)</pre>', finished.stdout)
    assert found is not None, finished.stderr
    return json.loads(unescape(found[1]))


def brightness(colour: str) -> float:
    """The mean of rgb(r, g, b)."""
    return sum(int(each) for each in re.findall(r"\d+", colour)[:3]) / 3
