"""Deploys the newest approved version of the group that the event is about, to an endpoint of its name."""

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
    name = f"{group}-{newest['ModelPackageVersion']}"
    sagemaker.create_model(
        ModelName=name,
        Containers=[{"ModelPackageName": newest["ModelPackageArn"]}],
        ExecutionRoleArn=os.environ["MODEL_ROLE"],
    )
    variant = {"ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[{"VariantName": "AllTraffic", **variant}]
    )
    if sagemaker.list_endpoints(NameContains=group)["Endpoints"]:
        sagemaker.update_endpoint(EndpointName=group, EndpointConfigName=name)
    else:
        sagemaker.create_endpoint(EndpointName=group, EndpointConfigName=name)
    return name
