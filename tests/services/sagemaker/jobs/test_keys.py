"""The KMS key of what a job leaves, which its own role must be allowed to use; and the VPC that it names."""

import pytest
from tests.conftest import own_objects
from tests.policies import allowing
from tests.services.sagemaker.jobs.workshop import MAY_ALL, Workshop

pytestmark = pytest.mark.usefixtures("sandboxed")

PRINTS = 'echo model > "$SM_MODEL_DIR/m" || echo model > /opt/ml/model/m'


@own_objects
def test_artefacts_have_the_key_that_the_job_names(workshop: Workshop) -> None:
    key = workshop.server.client("kms").create_key()["KeyMetadata"]["Arn"]
    output = {"S3OutputPath": f"s3://{workshop.bucket}/sealed/", "KmsKeyId": key}
    role = workshop.server.role([MAY_ALL, allowing("kms:GenerateDataKey")])
    done = workshop.train(PRINTS, OutputDataConfig=output, RoleArn=role)
    assert done["TrainingJobStatus"] == "Completed"
    (archive,) = workshop.keys("sealed/")
    head = workshop.s3.head_object(Bucket=workshop.bucket, Key=archive)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


@own_objects
def test_a_role_that_may_not_use_the_key_fails_the_job(workshop: Workshop) -> None:
    key = workshop.server.client("kms").create_key()["KeyMetadata"]["Arn"]
    output = {"S3OutputPath": f"s3://{workshop.bucket}/refused/", "KmsKeyId": key}
    done = workshop.train(PRINTS, OutputDataConfig=output)
    assert done["TrainingJobStatus"] == "Failed"
    assert f"kms:GenerateDataKey on resource: {key}" in done["FailureReason"]
    assert workshop.keys("refused/") == []


@own_objects
def test_a_key_that_is_not_there_fails_the_job(workshop: Workshop) -> None:
    output = {"S3OutputPath": f"s3://{workshop.bucket}/unknown/", "KmsKeyId": "alias/nothing"}
    role = workshop.server.role([MAY_ALL, allowing("kms:*")])
    done = workshop.train(PRINTS, OutputDataConfig=output, RoleArn=role)
    assert "alias/nothing is not found" in done["FailureReason"]


def test_a_vpc_is_shown_and_the_log_says_that_it_is_not_obeyed(workshop: Workshop) -> None:
    network = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    done = workshop.train("true", VpcConfig=network)
    assert (done["TrainingJobStatus"], done["VpcConfig"]) == ("Completed", network)
    assert any(
        "VpcConfig is recorded and not obeyed" in line
        for line in workshop.log("Training", done["TrainingJobName"])
    )
