"""`DemoServer`: the page and its answers, over HTTP, for this machine alone.

Python's own server does: nothing to install, no script of anybody else's, and it works
without a network. It is no server for the public, which an export and TF Serving are.
"""

from __future__ import annotations

import ipaddress
import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from siatl_keras.demo.answering import Answering
from siatl_keras.evaluation.markup import STYLE

FOLDER = Path(__file__).parent
FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; form-action 'none'; frame-ancestors 'none'"
)
MOST_BYTES = 32 * 2**20


class DemoServer(ThreadingHTTPServer):
    """Serves the page until `shutdown` is called.

    Args:
        answering: the classifiers.
        host: str, the address to listen on; that of this machine alone by default.
        port: int; 0 takes a free one.

    Example:
    >>> server = DemoServer(Answering({"mine": model}))  # doctest: +SKIP
    >>> server.serve_forever()  # doctest: +SKIP
    """

    daemon_threads = True

    def __init__(
        self, answering: Answering, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        super().__init__((host, port), _Handler)
        self.answering = answering

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{self.host}:{self.server_address[1]}/"

    @property
    def host(self) -> str:
        """The address that it listens on."""
        return str(self.server_address[0])

    @property
    def is_for_this_machine(self) -> bool:
        """Whether nobody else can reach it."""
        return ipaddress.ip_address(self.host).is_loopback


class _Handler(BaseHTTPRequestHandler):
    server: DemoServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Sends the page, or what it must know."""
        path = urlsplit(self.path).path
        if not self._is_meant():
            return
        if path == "/about":
            self._send_json(self.server.answering.about())
        elif path in FILES:
            name, kind = FILES[path]
            text = (FOLDER / name).read_text("utf-8")
            # The colours of all pages, and how texts and tokens look.
            text = STYLE + text if name == "page.css" else text
            self._send(text.encode("utf-8"), kind)
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "There is no such page.")

    def do_POST(self) -> None:
        """Answers texts, or labels a file."""
        if not self._is_meant():
            return
        body = self._body()
        if body is None:
            return
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        try:
            if url.path == "/answers":
                asked = json.loads(body)
                texts = asked.get("texts") if isinstance(asked, dict) else None
                self._send_json(self.server.answering.answer(texts))
            elif url.path == "/file":
                labelled = self.server.answering.label_file(
                    query.get("name", ""), body, query.get("model", "")
                )
                kind = "text/tab-separated-values; charset=utf-8"
                self._send(labelled.encode("utf-8"), kind)
            else:
                self._refuse(HTTPStatus.NOT_FOUND, "There is no such page.")
        except (ValueError, RecursionError) as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))

    def _is_meant(self) -> bool:
        """Refuses what another site's page sends by a name that it has pointed here."""
        if not self.server.is_for_this_machine:
            return True
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        if host in ("localhost", self.server.host):
            return True
        self._refuse(HTTPStatus.FORBIDDEN, "This page is for this machine alone.")
        return False

    def _body(self) -> bytes | None:
        """Reads what was sent; `None` if it is refused."""
        # A form of another site cannot send this type without asking first.
        if self.headers.get("Content-Type") not in (
            "application/json",
            "application/octet-stream",
        ):
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send JSON, or a file.")
            return None
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"A request has {MOST_BYTES // 2**20} MiB at most.",
            )
            return None
        return self.rfile.read(int(length))

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self.close_connection = True
        body = json.dumps({"error": message}).encode("utf-8")
        self._send(body, "application/json", status)

    def _send_json(self, value: Any) -> None:
        self._send(json.dumps(value).encode("utf-8"), "application/json")

    def _send(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", POLICY),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keeps quiet: the page says what happens."""
