"""Steps of jobs as older code has them, made of a processor or an estimator without `step_args`; a processor
with a folder of code; and a job that is lost, which a retry policy tries again.

Run as a user runs it; the test takes the job away and looks at what is left.
"""

import pathlib
import tempfile

import sagemaker
from sagemaker.inputs import TrainingInput
from sagemaker.processing import FrameworkProcessor, ProcessingInput, ProcessingOutput
from sagemaker.sklearn import SKLearn, SKLearnProcessor
from sagemaker.workflow.functions import Join
from sagemaker.workflow.parameters import ParameterInteger
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.workflow.steps import ProcessingStep, TrainingStep

session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
machine = {"role": role, "instance_type": "ml.m5.large", "instance_count": 1}
folder = pathlib.Path(tempfile.mkdtemp())
retry_policies = [
    StepRetryPolicy(
        exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
        expire_after_mins=5,
        interval_seconds=1,
        backoff_rate=2.0,
    ),
    SageMakerJobStepRetryPolicy(
        exception_types=[SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
        failure_reason_types=[
            SageMakerJobExceptionTypeEnum.INTERNAL_ERROR,
            SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
        ],
        interval_seconds=1,
        max_attempts=2,
    ),
]

(folder / "prepare.py").write_text(
    "import argparse, pathlib, time\n"
    "import boto3\n"
    "from counting import count\n"
    "parser = argparse.ArgumentParser()\n"
    "parser.add_argument('--numbers', type=int)\n"
    "parser.add_argument('--bucket')\n"
    "given = parser.parse_args()\n"
    "place = {'Bucket': given.bucket, 'Key': 'SdkSteps/began'}\n"
    "s3 = boto3.client('s3')\n"
    "if 'Contents' not in s3.list_objects_v2(Bucket=place['Bucket'], Prefix=place['Key']):\n"
    "    s3.put_object(**place)\n"
    "    time.sleep(600)  # until it is taken away\n"
    "numbers = ' '.join(map(str, count(given.numbers)))\n"
    "pathlib.Path('/opt/ml/processing/train/numbers').write_text(numbers)\n"
)
(folder / "counting.py").write_text("def count(numbers):\n    return range(1, numbers + 1)\n")
(folder / "train.py").write_text(
    "import argparse, os, pathlib\n"
    "parser = argparse.ArgumentParser()\n"
    "parser.add_argument('--factor', type=int)\n"
    "factor = parser.parse_args().factor\n"
    "numbers = (pathlib.Path(os.environ['SM_CHANNEL_TRAIN']) / 'numbers').read_text().split()\n"
    "model = pathlib.Path(os.environ['SM_MODEL_DIR']) / 'sum'\n"
    "model.write_text(str(factor * sum(map(int, numbers))))\n"
)
(folder / "judge.py").write_text(
    "import pathlib, sys, tarfile\n"
    "base = pathlib.Path('/opt/ml/processing')\n"
    "with tarfile.open(base / 'model' / 'model.tar.gz') as tar:\n"
    "    total = tar.extractfile('sum').read().decode()\n"
    "(base / 'verdict' / 'sum').write_text(f'{sys.argv[1]} {total}')\n"
)

count = ParameterInteger(name="Count", default_value=4)
factor = ParameterInteger(name="Factor", default_value=10)

pipeline_session = PipelineSession()
prepare = ProcessingStep(
    name="TakenAway",
    step_args=FrameworkProcessor(
        SKLearn, "1.2-1", command=["python3"], sagemaker_session=pipeline_session, **machine
    ).run(
        code="prepare.py",
        source_dir=str(folder),
        arguments=["--numbers", count.to_string(), "--bucket", session.default_bucket()],
        outputs=[ProcessingOutput(output_name="train", source="/opt/ml/processing/train")],
    ),
    retry_policies=retry_policies,
)
train = TrainingStep(
    name="Train",
    estimator=SKLearn(
        "train.py",
        source_dir=str(folder),
        framework_version="1.2-1",
        hyperparameters={"factor": factor},
        output_path=Join(on="/", values=["s3:/", session.default_bucket(), "SdkSteps"]),
        sagemaker_session=session,
        **machine,
    ),
    inputs={
        "train": TrainingInput(prepare.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri)
    },
    retry_policies=retry_policies,
)
judge = ProcessingStep(
    name="Judge",
    processor=SKLearnProcessor("1.2-1", sagemaker_session=session, **machine),
    code=str(folder / "judge.py"),
    inputs=[
        ProcessingInput(
            source=train.properties.ModelArtifacts.S3ModelArtifacts, destination="/opt/ml/processing/model"
        )
    ],
    outputs=[
        ProcessingOutput(
            output_name="verdict",
            source="/opt/ml/processing/verdict",
            destination=f"s3://{session.default_bucket()}/SdkSteps/verdict",
        )
    ],
    job_arguments=["the sum is"],
)
pipeline = Pipeline(
    name="SdkSteps", parameters=[count, factor], steps=[prepare, train, judge], sagemaker_session=session
)
pipeline.upsert(role_arn=role)
execution = pipeline.start(parameters={"Factor": 2})
execution.wait(delay=1, max_attempts=120)
steps = {each["StepName"]: each for each in execution.list_steps()}
assert {name: each["AttemptCount"] for name, each in steps.items()} == {
    "TakenAway": 2,
    "Train": 1,
    "Judge": 1,
}
