"""Clusters through boto3: shape, refusals, effect; and the lives they lead."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import WaiterError
from tests.refusals import refusal
from tests.services.emr.conftest import EC2, EMR, Fleet, allowed, shell

FAST = {"Delay": 1, "MaxAttempts": 30}


def test_a_cluster_is_shown_as_it_was_asked_for(fleet: Fleet) -> None:
    cluster = fleet.run(
        LogUri="s3://logs/emr/",
        Applications=[{"Name": "Spark"}],
        Tags=[{"Key": "team", "Value": "a"}],
        StepConcurrencyLevel=2,
        instances={"Ec2SubnetId": "subnet-1", "Ec2KeyName": "k"},
    )
    shown = fleet.until(cluster, "WAITING")
    assert cluster.startswith("j-")
    assert len(cluster) == 15
    assert (
        shown["ClusterArn"] == f"arn:aws:elasticmapreduce:us-east-1:{fleet.server.account}:cluster/{cluster}"
    )
    assert shown["Applications"] == [{"Name": "Spark"}]
    assert shown["Tags"] == [{"Key": "team", "Value": "a"}]
    assert shown["Ec2InstanceAttributes"]["IamInstanceProfile"] == fleet.profile
    assert shown["Ec2InstanceAttributes"]["Ec2SubnetId"] == "subnet-1"
    assert (shown["ServiceRole"], shown["LogUri"]) == (fleet.service_role, "s3://logs/emr/")
    assert (shown["AutoTerminate"], shown["StepConcurrencyLevel"]) == (False, 2)
    assert set(shown["Status"]["Timeline"]) == {"CreationDateTime", "ReadyDateTime"}


def test_the_waiters_of_boto3_come_to_an_end(fleet: Fleet) -> None:
    cluster = fleet.run()
    fleet.client.get_waiter("cluster_running").wait(ClusterId=cluster, WaiterConfig=FAST)
    (step,) = fleet.add(cluster, shell("true"))
    fleet.client.get_waiter("step_complete").wait(ClusterId=cluster, StepId=step, WaiterConfig=FAST)
    (failing,) = fleet.add(cluster, shell("exit 1"))
    with pytest.raises(WaiterError):
        fleet.client.get_waiter("step_complete").wait(ClusterId=cluster, StepId=failing, WaiterConfig=FAST)
    fleet.client.terminate_job_flows(JobFlowIds=[cluster])
    fleet.client.get_waiter("cluster_terminated").wait(ClusterId=cluster, WaiterConfig=FAST)


def test_a_cluster_that_is_not_kept_alive_ends_with_its_last_step(fleet: Fleet) -> None:
    cluster = fleet.run(
        instances={"KeepJobFlowAliveWhenNoSteps": False}, Steps=[shell("true"), shell("true")]
    )
    ended = fleet.until(cluster, "TERMINATED")
    assert ended["Status"]["StateChangeReason"] == {
        "Code": "ALL_STEPS_COMPLETED",
        "Message": "Steps completed",
    }
    assert "EndDateTime" in ended["Status"]["Timeline"]
    states = [each["Status"]["State"] for each in fleet.client.list_steps(ClusterId=cluster)["Steps"]]
    assert states == ["COMPLETED", "COMPLETED"]


def test_one_that_was_idle_for_too_long_ends(fleet: Fleet) -> None:
    cluster = fleet.run(AutoTerminationPolicy={"IdleTimeout": 60})
    assert fleet.until(cluster, "WAITING")
    assert refusal(
        fleet.client.run_job_flow, **fleet.parameters(AutoTerminationPolicy={"IdleTimeout": 59})
    ) == ("ValidationException", "The idle timeout must be between 60 and 604800 seconds.")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"JobFlowRole": None}, "InstanceProfile is required for creating cluster."),
        ({"ServiceRole": None}, "ServiceRole is required for creating cluster."),
        ({"JobFlowRole": "nobody"}, "Invalid InstanceProfile: nobody."),
        ({"ReleaseLabel": "7.1.0"}, "The supplied release label is invalid: 7.1.0."),
        ({"SecurityConfiguration": "none"}, "Security configuration with name 'none' does not exist."),
        ({"StepConcurrencyLevel": 300}, "The step concurrency level must be between 1 and 256."),
        (
            {"instances": {"InstanceGroups": [], "InstanceFleets": []}},
            "Instance groups and instance fleets are mutually exclusive.",
        ),
        (
            {"StepConcurrencyLevel": 2, "Steps": [shell("true", ActionOnFailure="TERMINATE_CLUSTER")]},
            "ActionOnFailure TERMINATE_CLUSTER is not valid for a cluster whose StepConcurrencyLevel is"
            " greater than 1.",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_cluster_that_cannot_be_is_refused_and_nothing_is_left(
    fleet: Fleet, changes: dict[str, Any], message: str
) -> None:
    before = len(fleet.client.list_clusters()["Clusters"])
    assert refusal(fleet.client.run_job_flow, **fleet.parameters(**changes)) == (
        "ValidationException",
        message,
    )
    assert len(fleet.client.list_clusters()["Clusters"]) == before


def test_kerberos_is_refused_by_name(fleet: Fleet) -> None:
    kerberos = {"Realm": "r", "KdcAdminPassword": "p"}
    code, message = refusal(fleet.client.run_job_flow, **fleet.parameters(KerberosAttributes=kerberos))
    assert (code, "KerberosAttributes" in message) == ("ValidationException", True)


def test_roles_that_do_not_trust_end_the_cluster_with_a_reason(fleet: Fleet) -> None:
    wrong = fleet.server.role(trust="lambda.amazonaws.com")
    ended = fleet.until(fleet.run(ServiceRole=wrong), "TERMINATED_WITH_ERRORS")
    reason = ended["Status"]["StateChangeReason"]
    assert reason == {"Code": "VALIDATION_ERROR", "Message": f"EMR service role {wrong} is invalid"}
    ended = fleet.until(fleet.run(JobFlowRole=fleet.new_profile(wrong)), "TERMINATED_WITH_ERRORS")
    assert ended["Status"]["StateChangeReason"]["Code"] == "VALIDATION_ERROR"


def test_names_and_arns_do_for_the_roles(fleet: Fleet) -> None:
    account = fleet.server.account
    cluster = fleet.run(
        ServiceRole=fleet.service_role.rpartition("/")[2],
        JobFlowRole=f"arn:aws:iam::{account}:instance-profile/{fleet.profile}",
    )
    assert fleet.until(cluster, "WAITING")


def test_run_job_flow_is_decided_on_every_cluster_and_passes_two_roles(fleet: Fleet) -> None:
    account, region = fleet.server.account, fleet.server.region
    every = f"arn:aws:elasticmapreduce:{region}:{account}:cluster/*"
    run = {"Effect": "Allow", "Action": "elasticmapreduce:RunJobFlow", "Resource": every}

    def policy(*services: str) -> dict[str, Any]:
        passing = [
            {
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": "*",
                "Condition": {"StringEquals": {"iam:PassedToService": service}},
            }
            for service in services
        ]
        return {"Version": "2012-10-17", "Statement": [run, *passing]}

    def ask(*services: str, **changes: Any) -> Any:
        return fleet.server.client("emr", policy(*services)).run_job_flow(**fleet.parameters(**changes))

    fleet.made.append(ask(EMR, EC2)["JobFlowId"])
    code, message = refusal(lambda: ask(EC2))
    assert (code, f"iam:PassRole on resource: {fleet.service_role}" in message) == (
        "AccessDeniedException",
        True,
    )
    code, message = refusal(lambda: ask(EMR))
    assert f"iam:PassRole on resource: {fleet.instance_role}" in message
    code, message = refusal(lambda: ask(EMR, EC2, AutoScalingRole="scaler"))
    assert "iam:PassRole on resource: arn:aws:iam::" in message
    code, message = refusal(lambda: ask(EMR, EC2, Tags=[{"Key": "a", "Value": "b"}]))
    assert f"elasticmapreduce:AddTags on resource: {every}" in message
    nobody = fleet.server.client("emr", allowed(["iam:PassRole"]))
    code, message = refusal(nobody.run_job_flow, **fleet.parameters())
    assert f"elasticmapreduce:RunJobFlow on resource: {every} because no identity-based" in message


def test_lists_are_newest_first_and_filtered(fleet: Fleet) -> None:
    first, second = fleet.run(), fleet.run()
    fleet.until(first, "WAITING")
    ids = [each["Id"] for each in fleet.client.list_clusters()["Clusters"]]
    assert ids.index(second) < ids.index(first)
    fleet.client.terminate_job_flows(JobFlowIds=[first])
    fleet.until(first, "TERMINATED")
    ended = fleet.client.list_clusters(ClusterStates=["TERMINATED"])["Clusters"]
    assert first in [each["Id"] for each in ended]
    assert second not in [each["Id"] for each in ended]
    assert fleet.client.list_clusters(CreatedAfter=time.time() + 60)["Clusters"] == []
    assert refusal(fleet.client.list_clusters, Marker="nonsense")[0] == "InvalidRequestException"


def test_pages_hold_fifty_steps(fleet: Fleet) -> None:
    cluster = fleet.run(Steps=[shell("true") for _ in range(60)], StepConcurrencyLevel=1)
    fleet.client.terminate_job_flows(JobFlowIds=[cluster])
    pages = list(fleet.client.get_paginator("list_steps").paginate(ClusterId=cluster))
    assert [len(page["Steps"]) for page in pages] == [50, 10]


def test_protection_holds_until_it_is_taken_away(fleet: Fleet) -> None:
    kept = fleet.run(instances={"TerminationProtected": True})
    other = fleet.run()
    fleet.until(kept, "WAITING")
    code, message = refusal(fleet.client.terminate_job_flows, JobFlowIds=[kept, other])
    assert (code, message) == (
        "ValidationException",
        "Could not shut down one or more job flows since they are termination protected.",
    )
    assert fleet.until(other, "TERMINATED")["Status"]["StateChangeReason"]["Code"] == "USER_REQUEST"
    assert fleet.state(kept) == "WAITING"
    fleet.client.set_termination_protection(JobFlowIds=[kept], TerminationProtected=False)
    fleet.client.terminate_job_flows(JobFlowIds=[kept])
    assert fleet.until(kept, "TERMINATED")


def test_each_cluster_of_a_call_is_decided_for_itself(fleet: Fleet) -> None:
    mine, other = fleet.run(), fleet.run()
    arn = f"arn:aws:elasticmapreduce:{fleet.server.region}:{fleet.server.account}:cluster/{mine}"
    actions = ["elasticmapreduce:TerminateJobFlows", "elasticmapreduce:SetTerminationProtection"]
    client = fleet.server.client("emr", allowed(actions, arn))
    for call, more in (
        (client.terminate_job_flows, {}),
        (client.set_termination_protection, {"TerminationProtected": True}),
    ):
        code, message = refusal(call, JobFlowIds=[mine, other], **more)
        assert (code, f"cluster/{other}" in message) == ("AccessDeniedException", True)
    assert not fleet.client.describe_cluster(ClusterId=mine)["Cluster"]["TerminationProtected"]


def test_what_is_not_there_is_said_in_the_words_of_each_operation(fleet: Fleet) -> None:
    older = ("ValidationException", "Specified job flow ID not valid.")
    newer = ("InvalidRequestException", "Cluster id 'j-NONE' is not valid.")
    client = fleet.client
    assert refusal(client.terminate_job_flows, JobFlowIds=["j-NONE"]) == older
    assert refusal(client.add_job_flow_steps, JobFlowId="j-NONE", Steps=[shell("true")]) == older
    assert (
        refusal(client.set_termination_protection, JobFlowIds=["j-NONE"], TerminationProtected=True) == older
    )
    assert refusal(client.describe_cluster, ClusterId="j-NONE") == newer
    assert refusal(client.list_steps, ClusterId="j-NONE") == newer
    assert refusal(client.list_instance_groups, ClusterId="j-NONE") == newer
    assert refusal(client.list_bootstrap_actions, ClusterId="j-NONE") == newer
    assert refusal(client.describe_step, ClusterId="j-NONE", StepId="s-1") == newer
    assert refusal(client.cancel_steps, ClusterId="j-NONE", StepIds=["s-1"]) == newer
    assert refusal(client.add_tags, ResourceId="j-NONE", Tags=[]) == newer


def test_tags_come_go_and_decide(fleet: Fleet) -> None:
    cluster = fleet.run(Tags=[{"Key": "a", "Value": "1"}])
    fleet.client.add_tags(ResourceId=cluster, Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "3"}])
    fleet.client.remove_tags(ResourceId=cluster, TagKeys=["b", "never"])
    assert fleet.client.describe_cluster(ClusterId=cluster)["Cluster"]["Tags"] == [{"Key": "a", "Value": "3"}]
    many = [{"Key": str(number), "Value": ""} for number in range(50)]
    assert refusal(fleet.client.add_tags, ResourceId=cluster, Tags=many)[0] == "InvalidRequestException"
    for tag, expected in (("3", None), ("1", "AccessDeniedException")):
        policy = allowed(["elasticmapreduce:DescribeCluster"])
        policy["Statement"][0]["Condition"] = {"StringEquals": {"elasticmapreduce:ResourceTag/a": tag}}
        client = fleet.server.client("emr", policy)
        if expected is None:
            assert client.describe_cluster(ClusterId=cluster)
        else:
            assert refusal(client.describe_cluster, ClusterId=cluster)[0] == expected


def test_instance_groups_are_shown_as_they_were_asked_for(fleet: Fleet) -> None:
    groups = [
        {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1, "Name": "Master"},
        {"InstanceRole": "CORE", "InstanceType": "m5.xlarge", "InstanceCount": 2},
    ]
    cluster = fleet.run(instances={"InstanceGroups": groups})
    shown = fleet.client.list_instance_groups(ClusterId=cluster)["InstanceGroups"]
    assert [(each["InstanceGroupType"], each["RunningInstanceCount"]) for each in shown] == [
        ("MASTER", 1),
        ("CORE", 2),
    ]
    old = fleet.run(instances={"MasterInstanceType": "m4.large", "InstanceCount": 3})
    shown = fleet.client.list_instance_groups(ClusterId=old)["InstanceGroups"]
    assert [(each["InstanceType"], each["RequestedInstanceCount"]) for each in shown] == [
        ("m4.large", 1),
        ("m4.large", 2),
    ]
    fleets = [{"InstanceFleetType": "MASTER", "InstanceTypeConfigs": [{"InstanceType": "m5.xlarge"}]}]
    of_fleets = fleet.run(instances={"InstanceFleets": fleets})
    assert refusal(fleet.client.list_instance_groups, ClusterId=of_fleets)[0] == "InvalidRequestException"
    shown = fleet.client.describe_cluster(ClusterId=of_fleets)["Cluster"]
    assert shown["InstanceCollectionType"] == "INSTANCE_FLEET"


def test_bootstrap_actions_run_before_the_first_step(fleet: Fleet, tmp_path: Any) -> None:
    s3 = fleet.server.client("s3")
    s3.create_bucket(Bucket="emr-bootstrap")
    s3.put_object(Bucket="emr-bootstrap", Key="b.sh", Body=b'echo "$@" >> "$1"')
    told = tmp_path / "told"
    action = {
        "Name": "first",
        "ScriptBootstrapAction": {"Path": "s3://emr-bootstrap/b.sh", "Args": [str(told)]},
    }
    cluster = fleet.run(BootstrapActions=[action], Steps=[shell(f"echo step >> {told}")])
    fleet.until(cluster, "WAITING")
    assert told.read_text().splitlines() == [str(told), "step"]
    shown = fleet.client.list_bootstrap_actions(ClusterId=cluster)["BootstrapActions"]
    assert shown == [{"Name": "first", "ScriptPath": "s3://emr-bootstrap/b.sh", "Args": [str(told)]}]


def test_a_bootstrap_action_that_fails_ends_the_cluster(fleet: Fleet) -> None:
    s3 = fleet.server.client("s3")
    s3.create_bucket(Bucket="emr-bootstrap-2")
    s3.put_object(Bucket="emr-bootstrap-2", Key="b.sh", Body=b"exit 3")
    action = {"Name": "n", "ScriptBootstrapAction": {"Path": "s3://emr-bootstrap-2/b.sh"}}
    cluster = fleet.run(BootstrapActions=[action], Steps=[shell("true")])
    ended = fleet.until(cluster, "TERMINATED_WITH_ERRORS")
    reason = ended["Status"]["StateChangeReason"]
    assert reason["Code"] == "BOOTSTRAP_FAILURE"
    assert "bootstrap action 1 returned a non-zero return code" in reason["Message"]
    (step,) = fleet.client.list_steps(ClusterId=cluster)["Steps"]
    assert step["Status"]["State"] == "CANCELLED"


def test_security_configurations_come_and_go(fleet: Fleet) -> None:
    client, document = fleet.client, json.dumps({"EncryptionConfiguration": {}})
    client.create_security_configuration(Name="safe", SecurityConfiguration=document)
    shown = client.describe_security_configuration(Name="safe")
    assert (shown["Name"], shown["SecurityConfiguration"]) == ("safe", document)
    listed = client.list_security_configurations()["SecurityConfigurations"]
    assert [each["Name"] for each in listed].count("safe") == 1
    again = refusal(client.create_security_configuration, Name="safe", SecurityConfiguration=document)
    assert again == ("InvalidRequestException", "Security configuration with name 'safe' already exists.")
    bad = refusal(client.create_security_configuration, Name="bad", SecurityConfiguration="[]")
    assert bad[0] == "InvalidRequestException"
    client.delete_security_configuration(Name="safe")
    gone = ("InvalidRequestException", "Security configuration with name 'safe' does not exist.")
    assert refusal(client.describe_security_configuration, Name="safe") == gone
    assert refusal(client.delete_security_configuration, Name="safe") == gone
