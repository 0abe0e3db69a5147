"""What follows an approval in the model registry: a rule of EventBridge that starts a function."""

import json

import boto3


def start_when_approved(function: str, group: str) -> None:
    """Have the function started when a version of the group is approved."""
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": [group], "ModelApprovalStatus": ["Approved"]},
    }
    events = boto3.client("events")
    rule = events.put_rule(Name=f"{group}-approved", EventPattern=json.dumps(pattern))["RuleArn"]
    events.put_targets(Rule=f"{group}-approved", Targets=[{"Id": "deploy", "Arn": function}])
    boto3.client("lambda").add_permission(
        FunctionName=function,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
