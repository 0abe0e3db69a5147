"""Clusters for the tests, made through boto3; most steps are shell commands, which start at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.eventually import SECONDS_MAX, eventually

EMR, EC2 = "elasticmapreduce.amazonaws.com", "ec2.amazonaws.com"
OVER = ("TERMINATED", "TERMINATED_WITH_ERRORS")
STEP_OVER = ("COMPLETED", "CANCELLED", "FAILED", "INTERRUPTED")
ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


class Fleet:
    """Makes clusters on a server, and keeps the client of its administrator."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client = server.client("emr")
        self.service_role: str = server.role(trust=EMR)
        self.instance_role: str = server.role([ANYTHING], trust=EC2)
        self.profile = self.new_profile(self.instance_role)
        self.made: list[str] = []

    def new_profile(self, role: str) -> str:
        iam, name = self.server.client("iam"), new_name("profile")
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role.rpartition("/")[2])
        return name

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """Of a cluster that stays; what is None is left out."""
        given = {
            "Name": new_name("cluster"),
            "Instances": {"KeepJobFlowAliveWhenNoSteps": True, **changes.pop("instances", {})},
            "JobFlowRole": self.profile,
            "ServiceRole": self.service_role,
            "ReleaseLabel": "emr-7.1.0",
            **changes,
        }
        return {name: value for name, value in given.items() if value is not None}

    def run(self, **changes: Any) -> str:
        """A new cluster's id."""
        cluster: str = self.client.run_job_flow(**self.parameters(**changes))["JobFlowId"]
        self.made.append(cluster)
        return cluster

    def add(self, cluster: str, *configs: Mapping[str, Any], **more: Any) -> list[str]:
        ids: list[str] = self.client.add_job_flow_steps(JobFlowId=cluster, Steps=list(configs), **more)[
            "StepIds"
        ]
        return ids

    def state(self, cluster: str) -> str:
        return str(self.client.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]["State"])

    def status(self, cluster: str, step: str) -> Any:
        return self.client.describe_step(ClusterId=cluster, StepId=step)["Step"]["Status"]

    def until(self, cluster: str, *states: str) -> Any:
        """The cluster, once it is in one of the states."""

        def there() -> Any:
            found = self.client.describe_cluster(ClusterId=cluster)["Cluster"]
            return found if found["Status"]["State"] in states else None

        return eventually(there, seen=lambda: self.client.describe_cluster(ClusterId=cluster))

    def step_until(self, cluster: str, step: str, *states: str, seconds: float = SECONDS_MAX) -> Any:
        """The step's status, once it is in one of the states; by default, over."""

        def there() -> Any:
            found = self.status(cluster, step)
            return found if found["State"] in (states or STEP_OVER) else None

        return eventually(there, seen=lambda: self.status(cluster, step), seconds=seconds)

    def end(self) -> None:
        for cluster in self.made:
            if self.state(cluster) not in (*OVER, "TERMINATING"):
                self.client.set_termination_protection(JobFlowIds=[cluster], TerminationProtected=False)
                self.client.terminate_job_flows(JobFlowIds=[cluster])


def forget_rules(events: Any) -> None:
    """A rule that is there already needs no PutRule; `events` is a client."""
    for rule in events.list_rules(NamePrefix="SageMakerPipelineExecution")["Rules"]:
        ids = [target["Id"] for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]]
        if ids:
            events.remove_targets(Rule=rule["Name"], Ids=ids)
        events.delete_rule(Name=rule["Name"])


def step(*args: str, jar: str = "command-runner.jar", **more: Any) -> dict[str, Any]:
    """A StepConfig."""
    return {"Name": new_name("step"), "HadoopJarStep": {"Jar": jar, "Args": list(args)}, **more}


def shell(script: str, **more: Any) -> dict[str, Any]:
    """A StepConfig that runs a line of shell."""
    return step("bash", "-c", script, **{"ActionOnFailure": "CONTINUE", **more})


def allowed(actions: Sequence[str], resource: str = "*") -> dict[str, Any]:
    """A policy."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def fleet(server: Server) -> Iterator[Fleet]:
    fleet = Fleet(server)
    yield fleet
    fleet.end()
