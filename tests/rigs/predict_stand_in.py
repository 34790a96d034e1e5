"""A server of TF Serving's REST path whose answers are known.

python tests/rigs/predict_stand_in.py PORT FOLDER answers by the versions in FOLDER. A
text of more than 100 characters is "long", of more than 30 000 refused; one that holds
"wrong" gets an answer that is wrong.
"""

import base64
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MOST = 30_000
PATH = re.compile(r"/v1/models/classifier(?:/versions/(\d+))?:predict")


def answer(text):
    """Returns label and probabilities of a text, as the server should."""
    if isinstance(text, dict):
        text = base64.b64decode(text["b64"]).decode(errors="replace")
    share = 0.75 if len(text) > 100 else 0.125
    label = "long" if share > 0.5 else "short"
    return {"label": label, "probabilities": [1 - share, share]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder = Path()

    def setup(self):
        super().setup()
        # Else each answer waits for the client's delayed acknowledgement.
        self.connection.setsockopt(6, 1, True)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, found = self._answered(body)
        written = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(written)))
        if status == 413:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(written)

    def _answered(self, body):
        path = PATH.fullmatch(self.path)
        if path is None or path[1] and not (self.folder / path[1]).is_dir():
            return 404, {"error": "no such model"}
        try:
            texts = json.loads(body)["instances"]
            rows = [answer(text) for text in texts if isinstance(text, dict | str)]
            if len(rows) != len(texts) or isinstance(texts, str):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            return 400, {"error": "not texts"}
        if any(len(text) > MOST for text in texts):
            return 413, {"error": "too long"}
        for text, row in zip(texts, rows, strict=True):
            if "wrong" in text:
                row["label"] = "other"
        return 200, {"predictions": rows}

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    Handler.folder = Path(sys.argv[2])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
