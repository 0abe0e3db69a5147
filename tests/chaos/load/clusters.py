"""Pipelines of one EMR step on a cluster of its own, whose program notes its run.

Steps of EMR are not tried again: one whose node is lost has failed, and says so. Nothing else may fail it,
and its program never begins twice.
"""

import itertools
import json
from pathlib import Path
from typing import Any

from tests.chaos.caller import Caller
from tests.chaos.load.crew import Crew
from tests.chaos.load.executions import started, under_way
from tests.chaos.load.roles import made_role

PIPELINE, STEP, RUN = "chaos-emr", "Cluster", "emr"
AT_ONCE = 2
_ROLE, _PROFILE = "chaos-emr", "chaos-emr-profile"
_MAY = {"Effect": "Allow", "Action": ["elasticmapreduce:*", "events:*", "iam:PassRole"]}
_SERVICES = ["sagemaker.amazonaws.com", "elasticmapreduce.amazonaws.com", "ec2.amazonaws.com"]
_PROGRAM = f"""
note() {{ echo "$1 {STEP} {RUN} $2 $(cut -d' ' -f1 /proc/uptime)  " >> FILE; }}
note "$1" begin
sleep 0.5
note "$1" end
"""


class Clusters:
    """The pipeline, and its executions; whoever watches all executions watches these."""

    def __init__(self, caller: Caller, notes: Path) -> None:
        self._caller, self._told = caller, caller.told
        self._numbers = itertools.count()
        program = notes.with_name("emr-program")
        program.write_text(_PROGRAM.replace("FILE", str(notes)))
        role = self._made_role()
        caller.until_told(
            "sagemaker.create_pipeline",
            PipelineName=PIPELINE,
            RoleArn=role,
            ClientRequestToken="e" * 32,
            PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [_step(program)]}),
        )

    def join(self, crew: Crew) -> None:
        crew.produces(self.start, 1.0)

    def start(self) -> None:
        """One more, while few enough run."""
        if under_way(self._told, PIPELINE) < AT_ONCE:
            started(self._caller, PIPELINE, f"emr{next(self._numbers):029}")

    def _made_role(self) -> str:
        role = made_role(self._caller, _ROLE, _SERVICES, _MAY)
        self._caller.until_told("iam.create_instance_profile", InstanceProfileName=_PROFILE)
        self._caller.until_told(
            "iam.add_role_to_instance_profile", InstanceProfileName=_PROFILE, RoleName=_ROLE
        )
        return role


def _step(program: Path) -> dict[str, Any]:
    group = {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1, "Name": "Master"}
    words = ["bash", str(program), {"Get": "Execution.PipelineExecutionId"}]
    return {
        "Name": STEP,
        "Type": "EMR",
        "Arguments": {
            "ClusterConfig": {
                "Instances": {"InstanceGroups": [group]},
                "ReleaseLabel": "emr-7.1.0",
                "Applications": [{"Name": "Spark"}],
                "JobFlowRole": _PROFILE,
                "ServiceRole": _ROLE,
            },
            "StepConfig": {"HadoopJarStep": {"Jar": "command-runner.jar", "Args": words}},
        },
    }
