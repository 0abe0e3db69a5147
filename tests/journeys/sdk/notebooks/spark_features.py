"""Features by Spark on EMR, on which a job trains; the number of rows decides whether it does."""

import os

import boto3
import parts
from sagemaker.inputs import TrainingInput
from sagemaker.workflow.emr_step import EMRStep, EMRStepConfig
from sagemaker.workflow.execution_variables import ExecutionVariables
from sagemaker.workflow.functions import Join
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.steps import TrainingStep

FEATURES = """
import sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("features").getOrCreate()
rows = spark.read.csv(sys.argv[1], schema="label double, feature double").dropna()
print("rows:", rows.count())
rows.selectExpr("label", "feature / 2").coalesce(1).write.csv(sys.argv[2])
"""

data = parts.raw_data("spark")
boto3.client("s3").put_object(Bucket=parts.bucket, Key="spark/features.py", Body=FEATURES)
cluster = {
    "Applications": [{"Name": "Spark"}],
    "Instances": {
        "InstanceGroups": [{"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": "m5.xlarge"}]
    },
    "ReleaseLabel": "emr-6.6.0",
    "JobFlowRole": os.environ["EMR_PROFILE"],
    "ServiceRole": os.environ["EMR_ROLE"],
}
made = Join(on="/", values=[f"s3://{parts.bucket}/spark/made", ExecutionVariables.PIPELINE_EXECUTION_ID])
features = EMRStep(
    name="Features",
    display_name="features",
    description="half of each feature",
    cluster_id=None,
    cluster_config=cluster,
    step_config=EMRStepConfig(
        jar="command-runner.jar",
        args=[
            "spark-submit",
            "--deploy-mode",
            "cluster",
            f"s3://{parts.bucket}/spark/features.py",
            data,
            made,
        ],
    ),
)
train = TrainingStep(
    name="Train",
    step_args=parts.estimator().fit({"train": TrainingInput(made, content_type="text/csv")}),
    depends_on=[features],
)
pipeline = Pipeline(name="SparkFeatures", steps=[features, train], sagemaker_session=parts.session)
ran = parts.succeeded(pipeline)
name = ran["Train"]["Metadata"]["TrainingJob"]["Arn"].split("/")[-1]
described = boto3.client("sagemaker").describe_training_job(TrainingJobName=name)
assert described["FinalMetricDataList"][0]["Value"] < 0.001, described
