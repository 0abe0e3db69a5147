"""For handlers that keep most of a request: the members that their declarations read, in AWS's spelling."""

from collections.abc import Mapping
from typing import Any

ROLE = "arn:aws:iam::111122223333:role/the-role"
STAGE = {"Stage": "Development", "StageStatus": "Approved"}
_VPC = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
_SYSTEM = {"FileSystemId": "fs-1", "FileSystemType": "EFS"}
_FILES = {"FileSystemAccessMode": "ro", "DirectoryPath": "/d", **_SYSTEM}
_TRAINING: Mapping[str, Any] = {
    "EnableInterContainerTrafficEncryption": True,
    "EnableNetworkIsolation": True,
    "InputDataConfig": [{"ChannelName": "c", "DataSource": {"FileSystemDataSource": _FILES}}],
    "OutputDataConfig": {"S3OutputPath": "s3://b/o", "KmsKeyId": "k"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "VolumeKmsKeyId": "k", "KeepAlivePeriodInSeconds": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 1},
    "VpcConfig": _VPC,
}
KEPT_MEMBERS: Mapping[str, Mapping[str, Any]] = {
    "create_training_job": {**_TRAINING, "RemoteDebugConfig": {"EnableRemoteDebug": True}},
    "create_hyper_parameter_tuning_job": {"TrainingJobDefinition": {**_TRAINING, "RoleArn": ROLE}},
    "create_endpoint_config": {
        "EnableNetworkIsolation": True,
        "KmsKeyId": "k",
        "ProductionVariants": [
            {
                "VariantName": "v",
                "ModelName": "the-model",
                "InstanceType": "ml.m5.large",
                "AcceleratorType": "ml.eia2.medium",
                "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
            }
        ],
        "VpcConfig": _VPC,
    },
    "create_model": {"EnableNetworkIsolation": True, "VpcConfig": _VPC},
    "create_model_package": {
        "CustomerMetadataProperties": {"team": "ml"},
        "ModelApprovalStatus": "Approved",
        "ModelLifeCycle": STAGE,
    },
    "update_model_package": {
        "CustomerMetadataProperties": {"team": "ml"},
        "CustomerMetadataPropertiesToRemove": ["old"],
        "ModelApprovalStatus": "Approved",
        "ModelLifeCycle": STAGE,
    },
    "create_processing_job": {
        "NetworkConfig": {
            "EnableInterContainerTrafficEncryption": True,
            "EnableNetworkIsolation": True,
            "VpcConfig": _VPC,
        },
        "ProcessingOutputConfig": {"KmsKeyId": "k", "Outputs": []},
        "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.large", "VolumeKmsKeyId": "k"}},
        "StoppingCondition": {"MaxRuntimeInSeconds": 1},
    },
    "create_transform_job": {
        "TransformOutput": {"KmsKeyId": "k", "S3OutputPath": "s3://b"},
        "TransformResources": {"InstanceType": "ml.m5.large", "VolumeKmsKeyId": "k"},
    },
}
