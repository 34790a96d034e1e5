"""The peer: transformers' pipeline behind Ray Serve, on SmolLM2's weights.

`python -m benchmarks.serving.transformers_peer PORT FOLDER` serves the model.gguf of a
folder until it is told to end. It answers TF Serving's REST path, in batches as large
as ours. Nothing has trained its head: what counts is how fast it answers.
"""

import asyncio
import json
import os
import signal
import sys

import ray
import torch
from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    pipeline,
)

FILE = "model.gguf"
LABELS = 7
MOST_TOKENS = 256  # As many as ours reads.
MOST_BYTES = 256 * 1024
BATCH = 32
WAIT_SECONDS = 0.005


@serve.deployment(max_ongoing_requests=256)
class Peer:
    """Answers `POST /v1/models/classifier:predict`.

    Args:
        folder: of model.gguf.
    """

    def __init__(self, folder):
        # Ray says one, which TensorFlow does not go by.
        torch.set_num_threads(os.cpu_count())
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, gguf_file=FILE, dtype=torch.float32, num_labels=LABELS
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=FILE)
        tokenizer.pad_token = "<|endoftext|>"
        model.config.pad_token_id = tokenizer.pad_token_id
        self.pipeline = pipeline(
            "text-classification", model=model, tokenizer=tokenizer, top_k=None
        )

    async def __call__(self, request: Request):
        """Answers a request of any number of texts."""
        body = await request.body()
        if len(body) > MOST_BYTES:
            return JSONResponse({"error": "too large"}, 413)
        try:
            texts = json.loads(body)["instances"]
            if isinstance(texts, str) or not all(isinstance(t, str) for t in texts):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"error": "expected a list of texts"}, 400)
        answers = await asyncio.gather(*map(self.answer, texts))
        return JSONResponse({"predictions": answers})

    @serve.batch(max_batch_size=BATCH, batch_wait_timeout_s=WAIT_SECONDS)
    async def answer(self, texts):
        """Answers texts that came at once."""
        return await asyncio.to_thread(self._answers, texts)

    def _answers(self, texts):
        rows = self.pipeline(
            texts, batch_size=BATCH, truncation=True, max_length=MOST_TOKENS
        )
        return [
            {
                "label": row[0]["label"],
                "probabilities": {share["label"]: share["score"] for share in row},
            }
            for row in rows
        ]


def main(port, folder):
    """Serves until it gets SIGTERM."""
    ray.init(include_dashboard=False)
    serve.start(http_options={"host": "127.0.0.1", "port": int(port)})
    serve.run(Peer.bind(folder), route_prefix="/")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    # Before threads start, which inherit it: else one of them would take the signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(*sys.argv[1:])
