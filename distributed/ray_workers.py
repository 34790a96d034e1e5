"""Starts a worker of a recipe on each node of a Ray cluster, TF_CONFIG included.

ray job submit --working-dir . -- python distributed/ray_workers.py 2 \
    finetune --data=/shared/reviews.csv --output=/shared/runs/reviews
"""

import json
import os
import socket
import subprocess
import sys


class Worker:
    """A process of a recipe, on the node where Ray puts this actor."""

    def address(self):
        """Returns "host:port", of a port that is free now."""
        import ray

        with socket.create_server(("", 0)) as server:
            return f"{ray.util.get_node_ip_address()}:{server.getsockname()[1]}"

    def run(self, addresses, index, arguments):
        """Runs the recipe; returns its exit status."""
        task = {"type": "worker", "index": index}
        config = json.dumps({"cluster": {"worker": addresses}, "task": task})
        command = [sys.executable, "-m", "recipes", *arguments, "--devices=workers"]
        done = subprocess.run(command, env={**os.environ, "TF_CONFIG": config})
        return done.returncode


def main():
    """Places the workers on nodes of their own; ends with their highest status."""
    import ray

    count, arguments = int(sys.argv[1]), sys.argv[2:]
    ray.init()
    gpus = 1 if ray.cluster_resources().get("GPU") else 0
    remote = ray.remote(num_gpus=gpus, scheduling_strategy="SPREAD")(Worker)
    workers = [remote.remote() for _ in range(count)]
    addresses = ray.get([worker.address.remote() for worker in workers])
    statuses = ray.get(
        [w.run.remote(addresses, i, arguments) for i, w in enumerate(workers)]
    )
    sys.exit(max(abs(status) for status in statuses))


if __name__ == "__main__":
    main()
