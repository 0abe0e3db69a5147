"""Deploys the newest approved version of the group that the event is about."""

import os

import boto3


def handler(event, _context):
    sagemaker, group = boto3.client("sagemaker"), event["detail"]["ModelPackageGroupName"]
    (newest,) = sagemaker.list_model_packages(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=1,
    )["ModelPackageSummaryList"]
    sagemaker.create_model(
        ModelName=f"{group}-{newest['ModelPackageVersion']}",
        Containers=[{"ModelPackageName": newest["ModelPackageArn"]}],
        ExecutionRoleArn=os.environ["MODEL_ROLE"],
    )
    return newest["ModelPackageArn"]
