"""A hub on this machine: folders of presets, as Hugging Face and Kaggle serve them."""

import contextlib
import hashlib
import http.server
import json
import threading
from pathlib import Path

COMMIT = "0123456789" * 4


class _Handler(http.server.BaseHTTPRequestHandler):
    folder: Path
    asked: list[str]

    def do_HEAD(self):
        """What Hugging Face's clients ask about a file before they load it."""
        self._answer(self._hugging_face_file(), content=False)

    def do_GET(self):
        """A file from Hugging Face."""
        self._answer(self._hugging_face_file())

    def do_POST(self):
        """A file from Kaggle, named in the request's body."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        slugs = [asked[key] for key in ("ownerSlug", "modelSlug", "instanceSlug")]
        self._answer("/".join([*slugs, asked["path"]]))

    def _hugging_face_file(self):
        repository, _, path = self.path.lstrip("/").partition("/resolve/main/")
        return f"{repository}/{path}"

    def _answer(self, name, content=True):
        self.asked.append(name)
        path = self.folder / name
        if not path.is_file():
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = path.read_bytes()
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if content:
            self.wfile.write(data)

    def log_message(self, *_):
        """Says nothing: the tests look at `asked`."""


@contextlib.contextmanager
def hub(folder, port=0):
    """Serves `folder`'s presets, `<owner>/<model>[/<variant>]`, while it is open.

    Yields:
        `(address, asked)`: where it listens, and the names of the files asked for.
    """
    asked = []
    handler = type("Handler", (_Handler,), {"folder": Path(folder), "asked": asked})
    with http.server.ThreadingHTTPServer(("localhost", port), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://localhost:{server.server_port}", asked
        finally:
            server.shutdown()
