"""Clusters and steps as the API shows them, and tags as it is given them. It reads nothing."""

from collections.abc import Mapping
from typing import Any

from passrole.members import without_none
from passrole.services.emr.records import STEP_OVER, Cluster, EmrStep
from passrole.services.tags import to_list

_SHOWN_AGAIN = ("LogUri", "ReleaseLabel", "SecurityConfiguration", "AutoScalingRole", "ServiceRole")
_OF_INSTANCES = (
    "Ec2KeyName",
    "EmrManagedMasterSecurityGroup",
    "EmrManagedSlaveSecurityGroup",
    "ServiceAccessSecurityGroup",
    "AdditionalMasterSecurityGroups",
    "AdditionalSlaveSecurityGroups",
)


def cluster(one: Cluster) -> dict[str, Any]:
    """DescribeCluster's Cluster."""
    instances = one.asked.get("Instances", {})
    fleets = "InstanceFleets" in instances
    return {
        **{name: one.asked[name] for name in _SHOWN_AGAIN if name in one.asked},
        "Id": one.id,
        "Name": one.name,
        "Status": cluster_status(one),
        "Ec2InstanceAttributes": _instance_attributes(one, instances),
        "InstanceCollectionType": "INSTANCE_FLEET" if fleets else "INSTANCE_GROUP",
        "AutoTerminate": not one.keep_alive,
        "TerminationProtected": one.protected,
        "VisibleToAllUsers": True,
        "Applications": one.asked.get("Applications", []),
        "Tags": to_list(one.tags),
        "NormalizedInstanceHours": 0,
        "MasterPublicDnsName": "localhost",
        "Configurations": one.asked.get("Configurations", []),
        "ClusterArn": one.arn,
        "StepConcurrencyLevel": one.concurrency,
        "PlacementGroups": [],
    }


def cluster_summary(one: Cluster) -> dict[str, Any]:
    """One of ListClusters's Clusters."""
    return {
        "Id": one.id,
        "Name": one.name,
        "Status": cluster_status(one),
        "NormalizedInstanceHours": 0,
        "ClusterArn": one.arn,
    }


def cluster_status(one: Cluster) -> dict[str, Any]:
    """State, reason and timeline; a cluster that nothing has happened to has an empty reason."""
    reason = {"Code": one.reason, "Message": one.message} if one.reason else {}
    return {
        "State": one.state,
        "StateChangeReason": reason,
        "Timeline": _timeline(CreationDateTime=one.created, ReadyDateTime=one.ready, EndDateTime=one.ended),
    }


def step(one: EmrStep) -> dict[str, Any]:
    """DescribeStep's Step; a list shows the same without the role."""
    return summary(one) | ({"ExecutionRoleArn": one.role} if one.role else {})


def summary(one: EmrStep) -> dict[str, Any]:
    """One of ListSteps's Steps."""
    main_class = {"MainClass": one.main_class} if one.main_class else {}
    return {
        "Id": one.id,
        "Name": one.name,
        "Config": {
            "Jar": one.jar,
            "Properties": dict(one.properties),
            **main_class,
            "Args": list(one.args),
        },
        "ActionOnFailure": one.on_failure,
        "Status": _step_status(one),
    }


def _step_status(one: EmrStep) -> dict[str, Any]:
    reason = {"Code": "NONE"} if one.state in STEP_OVER else {}
    return {
        "State": one.state,
        "StateChangeReason": reason,
        **({"FailureDetails": dict(one.details)} if one.details else {}),
        "Timeline": _timeline(CreationDateTime=one.created, StartDateTime=one.started, EndDateTime=one.ended),
    }


def _instance_attributes(one: Cluster, instances: Mapping[str, Any]) -> dict[str, Any]:
    subnets = instances.get("Ec2SubnetIds") or [
        each for each in (instances.get("Ec2SubnetId"),) if each is not None
    ]
    placed = {"Ec2SubnetId": subnets[0], "RequestedEc2SubnetIds": subnets} if subnets else {}
    return {
        **{name: instances[name] for name in _OF_INSTANCES if name in instances},
        **placed,
        "IamInstanceProfile": one.asked.get("JobFlowRole", ""),
    }


def _timeline(**moments: float | None) -> dict[str, float]:
    return without_none(**moments)
