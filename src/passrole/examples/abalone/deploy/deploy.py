"""Lambda function: deploys the approved version of the event to an endpoint with the name of its group."""

import os
from typing import Any

import boto3


def handler(event: dict[str, Any], _context: object) -> str:
    """Create a model, a configuration and the endpoint, or update that."""
    package, sagemaker = event["detail"], boto3.client("sagemaker")
    group = package["ModelPackageGroupName"]
    name = f"{group}-{package['ModelPackageVersion']}"
    sagemaker.create_model(
        ModelName=name,
        Containers=[{"ModelPackageName": package["ModelPackageArn"]}],
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
