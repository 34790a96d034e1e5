"""A real browser, headless: what it shows of a page, and what it complains about."""

import base64
import html
import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
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


class Window:
    """A page that one types and clicks on, by Chrome's own protocol.

    A context manager; `console` has what the page has complained about.
    """

    def __init__(self, url, width=1280):
        self.url, self.width = url, width
        self.console = []
        self._number = 0

    def __enter__(self):
        import websocket

        self._profile = tempfile.TemporaryDirectory()
        flags = [flag for flag in FLAGS if not flag.startswith(("--dump", "--virtual"))]
        self._process = subprocess.Popen(
            [
                *(chromium(), *flags, "--remote-debugging-port=0"),
                *(f"--user-data-dir={self._profile.name}", "--remote-allow-origins=*"),
                *(f"--window-size={self.width},900", "about:blank"),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in self._process.stderr:
            if found := re.search(r"ws://[\d.]+:(\d+)/", line):
                break
        listed = f"http://127.0.0.1:{found[1]}/json/list"
        with urllib.request.urlopen(listed) as answer:
            (target,) = [t for t in json.load(answer) if t["type"] == "page"]
        self._socket = websocket.create_connection(
            target["webSocketDebuggerUrl"], timeout=60
        )
        for domain in ("Runtime", "Page", "Log", "DOM"):
            self._ask(f"{domain}.enable")
        size = {"width": self.width, "height": 900, "deviceScaleFactor": 1}
        self._ask("Emulation.setDeviceMetricsOverride", **size, mobile=False)
        self._ask("Page.navigate", url=self.url)
        self.wait("document.readyState == 'complete' && location.href != 'about:blank'")
        return self

    def __exit__(self, *_):
        self._socket.close()
        self._process.kill()
        self._process.wait()
        self._process.stderr.close()
        shutil.rmtree(self._profile.name, ignore_errors=True)

    def value(self, script):
        """The value of an expression in the page."""
        found = self._ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, script, seconds=60):
        """Waits until an expression is true, and returns its value."""
        end = time.monotonic() + seconds
        while not (value := self.value(script)):
            assert time.monotonic() < end, f"never: {script}"
            time.sleep(0.05)
        return value

    def choose_file(self, selector, path):
        """Chooses a file in an input of the page."""
        root = self._ask("DOM.getDocument")["root"]["nodeId"]
        node = self._ask("DOM.querySelector", nodeId=root, selector=selector)
        self._ask("DOM.setFileInputFiles", files=[str(path)], nodeId=node["nodeId"])

    def downloaded(self, selector, folder):
        """Clicks on a link, and returns what has been saved in the folder."""
        self._ask(
            "Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder)
        )
        self.value(f"document.querySelector({selector!r}).click()")
        end = time.monotonic() + 60
        while not (files := [p for p in folder.iterdir() if p.suffix != ".crdownload"]):
            assert time.monotonic() < end, "nothing was saved"
            time.sleep(0.05)
        return files[0]

    def screenshot(self, path):
        """Writes what is seen as a PNG."""
        data = self._ask("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def _ask(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message))
        while (answer := json.loads(self._socket.recv())).get("id") != self._number:
            if answer.get("method") in (
                "Runtime.exceptionThrown",
                "Runtime.consoleAPICalled",
                "Log.entryAdded",
            ):
                self.console.append(answer["params"])
        return answer["result"]
