"""What a server is asked: endless rows of requests, the same with each run."""

import base64
import json
from typing import NamedTuple

import numpy as np

HOSTILE_SHARE = 0.05
BATCH = 32
BATCHES = 200
INVALID_UTF8 = b"\xff\xfe play \xc3( some jazz \x80"
# Texts to which the model has an answer; a server may find them too long.
HOSTILE_TEXTS = {
    "empty": ["", " ", "\n\t"],
    "emoji": ["😀", "👨‍👩‍👧‍👦" * 20, "🏳️‍🌈 so glad 🎉🎉🎉"],
    "20 kB": ["#a" * 10_000],
    "1 MB": ["#a" * 500_000],
    "invalid UTF-8": [INVALID_UTF8],
}
STATUSES = {"20 kB": {200, 413}, "1 MB": {200, 413}, "invalid UTF-8": {200, 400}}
BROKEN = {
    "malformed JSON": [b'{"instances": ["so glad"', b"", b"{]", b"\xff\xfe"],
    "wrong types": [
        b'{"instances": [3]}',
        b'{"instances": [null]}',
        b'{"instances": [["so", "glad"]]}',
        b'{"instances": "so glad"}',
        b'{"texts": ["so glad"]}',
        b"[]",
    ],
}
ORDINARY = {"short": {"short": 1.0}, "mixed": {"short": 0.5, "review": 0.5}}
# What each mix with hostile requests has beside them.
HOSTILE = {"hostile": "mixed", "short, hostile": "short"}
MIXES = (*ORDINARY, *HOSTILE, "batches")


class Request(NamedTuple):
    """A request, ready to be sent.

    Attributes:
        kind: of texts, such as "short" or "1 MB".
        payload: the bytes of the HTTP request.
        rows: numbers of its texts, by which their answers are known.
        statuses: which answers are in order.
        right: bodies of answers that have been compared, and are right.
    """

    kind: str
    payload: bytes
    rows: tuple[int, ...]
    statuses: frozenset[int]
    right: set[bytes]


def written(text):
    """Returns a text as JSON has it; bytes in base64, as TF Serving takes them."""
    if isinstance(text, bytes):
        return {"b64": base64.b64encode(text).decode()}
    return text


def http_post(address, body):
    """Returns the bytes that ask the model at an `Address`."""
    head = (
        f"POST {address.path}:predict HTTP/1.1\r\n"
        f"Host: {address.host}:{address.port}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def shares(mix):
    """Returns the share of each kind of text of a mix, by name."""
    if mix not in HOSTILE:
        return ORDINARY[mix]
    kinds = [*HOSTILE_TEXTS, *BROKEN]
    ordinary = ORDINARY[HOSTILE[mix]]
    usual = {kind: share * (1 - HOSTILE_SHARE) for kind, share in ordinary.items()}
    return usual | {kind: HOSTILE_SHARE / len(kinds) for kind in kinds}


def requests(mix, texts, kinds, address, seed=0):
    """Makes requests without end.

    Args:
        mix: of `MIXES`.
        texts: as JSON has them; see `written`.
        kinds: the numbers of the texts of each kind, by its name.
        address: `Address` of who is asked.
        seed: of the draw.

    Yields:
        `Request`s, drawn by the mix's shares.
    """
    generator = np.random.default_rng(seed)
    if mix == "batches":
        pool, share = _batches(texts, kinds, address, generator), {"batch": 1.0}
    else:
        share = shares(mix)
        pool = {kind: [*_of_kind(kind, texts, kinds, address)] for kind in share}
    names = [*share]
    while True:
        drawn = generator.choice(len(names), 4096, p=[*share.values()])
        for number, place in zip(drawn, generator.random(4096), strict=True):
            of_kind = pool[names[number]]
            yield of_kind[int(place * len(of_kind))]


def _of_kind(kind, texts, kinds, address):
    for body in BROKEN.get(kind, ()):
        yield Request(kind, http_post(address, body), (), frozenset({400}), set())
    for row in kinds.get(kind, ()):
        allowed = STATUSES.get(kind, {200})
        yield _request(kind, texts, (row,), allowed, address)


def _batches(texts, kinds, address, generator):
    rows = [row for kind in ORDINARY["mixed"] for row in kinds[kind]]
    drawn = generator.choice(rows, (BATCHES, BATCH))
    return {
        "batch": [
            _request("batch", texts, tuple(batch.tolist()), {200}, address)
            for batch in drawn
        ]
    }


def _request(kind, texts, rows, statuses, address):
    body = json.dumps({"instances": [texts[row] for row in rows]}).encode()
    return Request(kind, http_post(address, body), rows, frozenset(statuses), set())
