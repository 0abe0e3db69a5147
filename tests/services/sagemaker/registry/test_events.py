"""The events of model packages, in the form that a public project recorded.

https://github.com/aws-samples/amazon-sagemaker-drift-detection
"""

from tests.conftest import new_name
from tests.eventually import eventually
from tests.services.sagemaker.registry.conftest import IMAGE, Listen, Registry


def test_a_version_and_each_decision_about_it_make_an_event(registry: Registry, listen: Listen) -> None:
    group = registry.group()
    heard = listen({"source": ["aws.sagemaker"], "detail": {"ModelPackageGroupName": [group]}})
    arn = registry.package(group, MetadataProperties={"GeneratedBy": "me"}, ModelMetrics={"Bias": {}})
    registry.decide(arn, "Approved", ApprovalDescription="fine")
    registry.sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"a": "b"})
    registry.decide(arn, "Approved")
    registry.decide(arn, "Rejected")
    told = eventually(lambda: found if len(found := heard()) >= 3 else None)
    told.sort(key=lambda each: each["detail"].get("LastModifiedTime", 0))
    statuses = [each["detail"]["ModelApprovalStatus"] for each in told]
    assert statuses == ["PendingManualApproval", "Approved", "Rejected"]
    first, second, _ = told
    assert first["detail-type"] == "SageMaker Model Package State Change"
    assert first["resources"] == [arn]
    described = registry.describe(arn)
    created = round(described["CreationTime"].timestamp() * 1000)
    assert first["detail"] == {
        "ModelPackageName": f"{group}/1",
        "ModelPackageGroupName": group,
        "ModelPackageVersion": 1,
        "ModelPackageArn": arn,
        "CreationTime": created,
        "InferenceSpecification": registry.specification(),
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
        "ModelApprovalStatus": "PendingManualApproval",
        "MetadataProperties": {"GeneratedBy": "me"},
        "ModelMetrics": {"Bias": {}},
    }
    assert second["detail"]["ApprovalDescription"] == "fine"
    assert second["detail"]["LastModifiedTime"] >= created


def test_a_model_makes_an_event(registry: Registry, listen: Listen) -> None:
    name = new_name("model")
    pattern = {"detail-type": ["SageMaker Model State Change"], "detail": {"ModelName": [name]}}
    heard = listen(pattern)
    arn = registry.sagemaker.create_model(
        ModelName=name, PrimaryContainer={"Image": IMAGE}, Tags=[{"Key": "a", "Value": "b"}]
    )["ModelArn"]
    (told,) = eventually(lambda: found if (found := heard()) else None)
    described = registry.sagemaker.describe_model(ModelName=name)
    assert told["resources"] == [arn]
    assert told["detail"]["CreationTime"] == str(round(described["CreationTime"].timestamp() * 1000))
    assert told["detail"]["PrimaryContainer"] == {"Image": IMAGE}
    assert told["detail"]["Tags"] == {"a": "b"}
