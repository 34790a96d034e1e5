"""`check_hub_within_reach`: says at once that there is no network.

`huggingface_hub` asks five times for each file, which takes minutes.
"""

from __future__ import annotations

import concurrent.futures
import os
import socket
import urllib.request
from urllib.parse import urlsplit

SCHEME = "hf://"
SECONDS = 4.0


def check_hub_within_reach(preset: str) -> None:
    """Raises if a preset is neither on this machine nor within reach of the hub.

    Args:
        preset: a handle; others than `hf://…` are of no concern.

    Raises:
        ValueError: if nothing answers within a few seconds.
    """
    if not preset.startswith(SCHEME) or urllib.request.getproxies():
        return  # A proxy knows names that this machine does not.
    from huggingface_hub import constants, try_to_load_from_cache

    repository = preset.removeprefix(SCHEME)
    is_here = isinstance(try_to_load_from_cache(repository, "config.json"), str)
    if is_here or constants.HF_HUB_OFFLINE:
        return
    endpoint = urlsplit(os.environ.get("HF_ENDPOINT") or constants.ENDPOINT)
    address = (endpoint.hostname or "", endpoint.port or 443)
    # Names may be looked up for longer than a connection may take.
    executor = concurrent.futures.ThreadPoolExecutor(1)
    attempt = executor.submit(socket.create_connection, address, SECONDS)
    executor.shutdown(wait=False)
    try:
        attempt.result(SECONDS).close()
    except (OSError, concurrent.futures.TimeoutError) as error:
        raise ValueError(
            f"{preset} is not on this machine, and {endpoint.hostname} cannot be "
            f"reached ({str(error) or 'no answer'}). Download the preset where there "
            "is a network (`hf download`), and pass its folder; or take a language "
            "model that is here: tweets_lstm_small_en."
        ) from error
