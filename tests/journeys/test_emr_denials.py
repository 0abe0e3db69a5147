"""Each permission of an EMR step, one by one: its absence is named by the step, nothing is left behind."""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from tests.conftest import Server
from tests.journeys.test_emr import CLUSTER_RULE, STEP_RULE, on_a_cluster, running, with_its_own
from tests.services.emr.conftest import Fleet, forget_rules

from passrole.policy.managed import PIPELINES_INTEGRATIONS, policies

Start = Callable[..., str]
VERSIONS = {each.id: each.document for each in policies()[PIPELINES_INTEGRATIONS].versions}

TO_BEGIN_ON_A_CLUSTER = [
    "events:DescribeRule",
    "events:PutRule",
    "events:PutTargets",
    "elasticmapreduce:AddJobFlowSteps",
    "elasticmapreduce:DescribeStep",
]
TO_BEGIN_WITH_ITS_OWN = [
    "events:DescribeRule",
    "events:PutRule",
    "events:PutTargets",
    "elasticmapreduce:RunJobFlow",
    "iam:PassRole",
    "elasticmapreduce:ListSteps",
    "elasticmapreduce:DescribeCluster",
]


@pytest.fixture
def fleet(server: Server) -> Iterator[Fleet]:
    fleet = Fleet(server)
    forget_rules(server.client("events"))
    yield fleet
    fleet.end()


def less(action: str) -> Mapping[str, Any]:
    """Version 3 of the managed policy without one action."""
    document: dict[str, Any] = copy.deepcopy(dict(VERSIONS["v3"]))
    kept = []
    for statement in document["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        left = [each for each in actions if each != action]
        if left:
            kept.append({**statement, "Action": left})
    assert json.dumps(kept) != json.dumps(document["Statement"]), f"version 3 has no {action}"
    return {**document, "Statement": kept}


def left_over(fleet: Fleet, cluster: str | None = None) -> set[str]:
    """Clusters that are not over, but for the one of the test."""
    live = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"]
    found = fleet.client.list_clusters(ClusterStates=live)["Clusters"]
    return {each["Id"] for each in found} - {cluster}


def refused(server: Server, execution: str) -> str:
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    reason: str = server.steps(execution)["Job"]["FailureReason"]
    return reason


@pytest.mark.parametrize("action", TO_BEGIN_ON_A_CLUSTER)
def test_on_a_cluster_each_missing_action_is_named_and_nothing_runs_on(
    fleet: Fleet, start: Start, action: str
) -> None:
    server, cluster = fleet.server, fleet.run()
    role = server.role([less(action)])
    reason = refused(server, start([on_a_cluster(cluster, "sleep 60")], role=role))
    assert reason.startswith(f"ClientError: Failed to invoke {action}. Error Details: User: ")
    assert f"is not authorized to perform: {action} on resource: " in reason
    steps = fleet.client.list_steps(ClusterId=cluster)["Steps"]
    if action == "elasticmapreduce:DescribeStep":  # what could not be followed was ended again
        assert fleet.step_until(cluster, steps[0]["Id"])["State"] == "CANCELLED"
    else:
        assert steps == []
    rules = [rule["Name"] for rule in server.client("events").list_rules()["Rules"]]
    assert (STEP_RULE in rules) == (action not in ("events:DescribeRule", "events:PutRule"))


@pytest.mark.parametrize("action", TO_BEGIN_WITH_ITS_OWN)
def test_with_its_own_cluster_each_missing_action_is_named_and_no_cluster_is_left(
    fleet: Fleet, start: Start, action: str
) -> None:
    server = fleet.server
    before = left_over(fleet)
    role = server.role([less(action)])
    reason = refused(server, start([with_its_own(fleet, "sleep 60")], role=role))
    asked = "elasticmapreduce:RunJobFlow" if action == "iam:PassRole" else action
    assert reason.startswith(f"ClientError: Failed to invoke {asked}. Error Details: User: ")
    assert f"is not authorized to perform: {action} on resource: " in reason
    for cluster in left_over(fleet) - before:
        fleet.until(cluster, "TERMINATED")
    assert left_over(fleet) == before


def test_a_cluster_with_tags_needs_a_permission_to_give_them(fleet: Fleet, start: Start) -> None:
    server, before = fleet.server, left_over(fleet)
    role = server.role([VERSIONS["v3"]])  # which has no AddTags
    tagged = with_its_own(fleet, "sleep 60", Tags=[{"Key": "team", "Value": "a"}])
    reason = refused(server, start([tagged], role=role))
    assert "is not authorized to perform: elasticmapreduce:AddTags on resource: " in reason
    assert left_over(fleet) == before


def test_a_role_that_may_not_cancel_tells_so_when_it_is_stopped(fleet: Fleet, start: Start) -> None:
    server, cluster = fleet.server, fleet.run()
    role = server.role([less("elasticmapreduce:CancelSteps")])
    execution = start([on_a_cluster(cluster, "sleep 60")], role=role)
    running(server, execution, fleet)
    server.client("sagemaker").stop_pipeline_execution(PipelineExecutionArn=execution)
    assert server.finished(execution)["PipelineExecutionStatus"] == "Stopped"
    assert "elasticmapreduce:CancelSteps" in server.steps(execution)["Job"]["FailureReason"]


def test_a_role_that_may_not_terminate_tells_so_when_it_is_stopped(fleet: Fleet, start: Start) -> None:
    server = fleet.server
    role = server.role([less("elasticmapreduce:TerminateJobFlows")])
    execution = start([with_its_own(fleet, "sleep 3")], role=role)
    cluster, _ = running(server, execution, fleet)
    server.client("sagemaker").stop_pipeline_execution(PipelineExecutionArn=execution)
    assert server.finished(execution)["PipelineExecutionStatus"] == "Stopped"
    assert "elasticmapreduce:TerminateJobFlows" in server.steps(execution)["Job"]["FailureReason"]
    assert fleet.until(cluster, "TERMINATED")  # by itself, with its last step


@pytest.mark.parametrize(
    ("version", "on_one", "own"),
    [
        ("v1", f"events:DescribeRule on resource: {{rule}}{STEP_RULE}", f"{{rule}}{CLUSTER_RULE}"),
        ("v2", None, f"events:DescribeRule on resource: {{rule}}{CLUSTER_RULE}"),
        ("v3", None, None),
    ],
)
def test_the_versions_of_the_managed_policy_differ_as_documented(
    fleet: Fleet, start: Start, version: str, on_one: str | None, own: str | None
) -> None:
    server, cluster = fleet.server, fleet.run()
    role = server.role([VERSIONS[version]])
    rule = f"arn:aws:events:{server.region}:{server.account}:rule/"
    for step, expected in ((on_a_cluster(cluster, "true"), on_one), (with_its_own(fleet, "true"), own)):
        execution = start([step], role=role)
        status = server.finished(execution)["PipelineExecutionStatus"]
        assert status == ("Succeeded" if expected is None else "Failed")
        if expected is not None:
            assert expected.format(rule=rule) in server.steps(execution)["Job"]["FailureReason"]
