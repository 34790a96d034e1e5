"""The files of distributed/, each read as its scheduler reads it."""

import ast
import json
import subprocess
from pathlib import Path

import pytest
import yaml

DISTRIBUTED = Path(__file__).parents[2] / "distributed"
# Slurm's commands, as far as the script has a use for them.
COMMANDS = {
    "scontrol": '[ "$1" = requeue ] && echo "requeue $2" || printf "n1\\nn2\\n"',
    "srun": 'shift; SLURM_PROCID=1 "$@"',
    "siatl": 'echo "$TF_CONFIG"; echo "$@"; exit $STATUS',
}


def read(name):
    return yaml.safe_load((DISTRIBUTED / name).read_text("utf-8"))


def test_a_tfjob_has_one_chief_and_starts_lost_workers_again():
    job = read("tfjob.yaml")
    assert (job["apiVersion"], job["kind"]) == ("kubeflow.org/v1", "TFJob")
    replicas = job["spec"]["tfReplicaSpecs"]
    assert {role: each["replicas"] for role, each in replicas.items()} == {
        "Chief": 1,
        "Worker": 2,
    }
    for each in replicas.values():
        assert each["restartPolicy"] == "ExitCode"
        pod = each["template"]["spec"]
        (container,) = pod["containers"]
        assert container["name"] == "tensorflow"  # As the operator demands.
        assert container["command"][:2] == ["siatl", "finetune"]
        assert "--devices=workers" in container["command"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_the_first_pool_of_vertex_is_one_machine_and_all_run_the_same():
    chief, workers = read("vertex.yaml")["workerPoolSpecs"]
    assert (chief["replicaCount"], workers["replicaCount"]) == (1, 1)
    assert chief["containerSpec"] == workers["containerSpec"]
    (mount,) = workers["nfsMounts"]
    for argument in workers["containerSpec"]["args"][:-1]:
        parts = Path(argument.partition("=")[2]).parts
        assert parts[1:4] == ("mnt", "nfs", mount["mountPoint"])


@pytest.mark.parametrize(("status", "requeues"), [(0, False), (1, False), (138, True)])
def test_the_slurm_script_names_the_nodes_and_requeues_lost_workers(
    tmp_path, status, requeues
):
    for name, code in COMMANDS.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{code}\n", "utf-8")
        (tmp_path / name).chmod(0o755)
    script = DISTRIBUTED / "slurm.sbatch"
    subprocess.run(["bash", "-n", script], check=True)
    done = subprocess.run(
        ["bash", script, "--data=a b.csv"],
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "SLURM_JOB_ID": "70007",
            "SLURM_JOB_NODELIST": "n[1-2]",
            "STATUS": str(status),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stderr
    config, arguments, *rest = done.stdout.splitlines()
    assert json.loads(config) == {
        "cluster": {"worker": ["n1:20007", "n2:20007"]},
        "task": {"type": "worker", "index": 1},
    }
    assert arguments == "finetune --devices=workers --data=a b.csv"
    assert rest == (["requeue 70007"] if requeues else [])


def test_the_ray_script_is_python_that_starts_recipes():
    code = (DISTRIBUTED / "ray_workers.py").read_text("utf-8")
    ast.parse(code)
    assert '"-m", "recipes", *arguments, "--devices=workers"' in code
