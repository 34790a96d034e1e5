"""A real browser, headless: what it shows of a page, and what it complains about."""

import html
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--enable-logging=stderr",
    "--virtual-time-budget=3000",
    "--dump-dom",
)
FRAME = """<!doctype html><body style="margin: 0">
<iframe id=page style="width: {width}px; height: 900px; border: 0" srcdoc="{page}">
</iframe><pre id=found></pre><script>
const frame = document.getElementById("page");
frame.onload = () => {{
  const page = frame.contentDocument, width = page.documentElement.clientWidth;
  const inside = (element) => element.closest(".wide, svg");
  const wide = [...page.body.querySelectorAll("*")].filter((element) =>
    element.getBoundingClientRect().right > width + 1 && !inside(element));
  document.getElementById("found").textContent = JSON.stringify({{
    width, scrolls: page.documentElement.scrollWidth,
    wide: wide.map((each) => each.tagName + " " + each.textContent.slice(0, 40)),
    text: page.body.innerText, pictures: page.querySelectorAll("svg").length}});
}};
</script>"""


def chromium():
    """The browser's path; skips the test where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no chromium on this machine")
    return found


def opened(path):
    """`(DOM, console)` of a page: what is shown, and what the browser says of it."""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [chromium(), *FLAGS, f"--user-data-dir={profile}", Path(path).as_uri()],
            capture_output=True,
            text=True,
            timeout=120,
        )
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, console


def seen(page, width, folder):
    """What is seen of a page's text in a window of so many pixels.

    A dict of `width`, `scrolls` (the width that it can be scrolled over), `wide` (what
    is cut, but in boxes that scroll), `text`, `pictures`, and `console`.
    """
    path = Path(folder) / f"frame-{width}.html"
    path.write_text(FRAME.format(width=width, page=html.escape(page)), "utf-8")
    dom, console = opened(path)
    found = re.search(r"<pre id=\"found\">(.+?)</pre>", dom, re.S)
    return {**json.loads(html.unescape(found[1])), "console": console}
