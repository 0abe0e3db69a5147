"""The KMS key of what a job leaves: its own role must be allowed to use it."""

import pytest
from tests.policies import allowing
from tests.services.sagemaker.jobs.workshop import MAY_ALL, Workshop

pytestmark = pytest.mark.usefixtures("sandboxed")

PRINTS = 'echo model > "$SM_MODEL_DIR/m" || echo model > /opt/ml/model/m'


def test_artefacts_have_the_key_that_the_job_names(workshop: Workshop) -> None:
    key = workshop.server.client("kms").create_key()["KeyMetadata"]["Arn"]
    output = {"S3OutputPath": f"s3://{workshop.bucket}/sealed/", "KmsKeyId": key}
    role = workshop.server.role([MAY_ALL, allowing("kms:GenerateDataKey")])
    done = workshop.train(PRINTS, OutputDataConfig=output, RoleArn=role)
    assert done["TrainingJobStatus"] == "Completed"
    (archive,) = workshop.keys("sealed/")
    head = workshop.s3.head_object(Bucket=workshop.bucket, Key=archive)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_a_role_that_may_not_use_the_key_fails_the_job(workshop: Workshop) -> None:
    key = workshop.server.client("kms").create_key()["KeyMetadata"]["Arn"]
    output = {"S3OutputPath": f"s3://{workshop.bucket}/refused/", "KmsKeyId": key}
    done = workshop.train(PRINTS, OutputDataConfig=output)
    assert done["TrainingJobStatus"] == "Failed"
    assert f"kms:GenerateDataKey on resource: {key}" in done["FailureReason"]
    assert workshop.keys("refused/") == []


def test_a_key_that_is_not_there_fails_the_job(workshop: Workshop) -> None:
    output = {"S3OutputPath": f"s3://{workshop.bucket}/unknown/", "KmsKeyId": "alias/nothing"}
    role = workshop.server.role([MAY_ALL, allowing("kms:*")])
    done = workshop.train(PRINTS, OutputDataConfig=output, RoleArn=role)
    assert "alias/nothing is not found" in done["FailureReason"]
