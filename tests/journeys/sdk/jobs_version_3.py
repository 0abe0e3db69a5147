"""Processing and training jobs as version 3 of the SDK's documentation has them, without a pipeline.

Run as a user runs it; the test looks at what is left.
"""

import os
import pathlib
import tempfile
import zipfile

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.processing import FrameworkProcessor, ScriptProcessor
from sagemaker.core.shapes import (
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.spark.processing import PySparkProcessor
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode

session = Session()
role = get_execution_role(session)
machine = {"instance_type": "ml.m5.large", "instance_count": 1, "role": role, "sagemaker_session": session}
sklearn = image_uris.retrieve("sklearn", "us-east-1", version="1.2-1", instance_type="ml.m5.large")
pytorch = image_uris.retrieve(
    "pytorch",
    "us-east-1",
    version="2.0",
    py_version="py310",
    instance_type="ml.m5.large",
    image_scope="training",
)
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "double.py").write_text(
    "import pathlib\n"
    "import doubling, numpy\n"
    "base = pathlib.Path('/opt/ml/processing')\n"
    "numbers = numpy.loadtxt(base / 'input' / 'data' / 'numbers.csv')\n"
    "numpy.savetxt(base / 'made' / 'numbers.csv', doubling.double(numbers), fmt='%d')\n"
)
(folder / "train.py").write_text(
    "import argparse, json, os, pathlib\n"
    "import doubling, numpy\n"
    "parser = argparse.ArgumentParser()\n"
    "parser.add_argument('--name')\n"
    "given = parser.parse_args()\n"
    "numbers = numpy.loadtxt(pathlib.Path(os.environ['SM_CHANNEL_TRAIN']) / 'numbers.csv')\n"
    "model = {'name': given.name, 'sum': int(doubling.double(numbers).sum())}\n"
    "(pathlib.Path(os.environ['SM_MODEL_DIR']) / 'model.json').write_text(json.dumps(model))\n"
)
(folder / "requirements.txt").write_text("numpy\n./doubling-1.0-py3-none-any.whl\n")
with zipfile.ZipFile(folder / "doubling-1.0-py3-none-any.whl", "w") as archive:
    archive.writestr("doubling.py", "def double(number):\n    return 2 * number\n")
    info = "doubling-1.0.dist-info"
    archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: doubling\nVersion: 1.0\n")
    archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    archive.writestr(f"{info}/RECORD", f"doubling.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n")

uri = session.upload_string_as_file_body("1\n2\n3\n", session.default_bucket(), "numbers/numbers.csv")


def data(base: str) -> dict[str, list[object]]:
    """Anew for each job: the SDK writes into these where it has put things."""
    read = ProcessingS3Input(
        s3_uri=uri,
        local_path="/opt/ml/processing/input/data",
        s3_data_type="S3Prefix",
        s3_input_mode="File",
    )
    written = ProcessingS3Output(
        s3_uri=f"s3://{session.default_bucket()}/{base}/output/made",
        local_path="/opt/ml/processing/made",
        s3_upload_mode="EndOfJob",
    )
    return {
        "inputs": [ProcessingInput(input_name="data", s3_input=read)],
        "outputs": [ProcessingOutput(output_name="made", s3_output=written)],
    }


(folder / "count.sh").write_text('wc -l < /opt/ml/processing/input/data/numbers.csv > "$1"\n')
shell = ScriptProcessor(image_uri=sklearn, command=["bash"], base_job_name="SdkShell", **machine)
shell.run(code=str(folder / "count.sh"), arguments=["/opt/ml/processing/made/count"], **data("SdkShell"))

framework = FrameworkProcessor(image_uri=pytorch, base_job_name="SdkRequirements", **machine)
framework.run(code="double.py", source_dir=str(folder), **data("SdkRequirements"))

if not os.environ.get("WITHOUT_SPARK"):
    (folder / "total.py").write_text(
        "import sys\n"
        "from pyspark.sql import SparkSession\n"
        "spark = SparkSession.builder.appName('total').getOrCreate()\n"
        "numbers = spark.read.csv(sys.argv[1], schema='n int')\n"
        "numbers.selectExpr('sum(n) as total').write.csv(sys.argv[2])\n"
    )
    spark = PySparkProcessor(framework_version="3.3", base_job_name="SdkSpark", **machine)
    spark.run(
        submit_app=str(folder / "total.py"),
        arguments=["/opt/ml/processing/input/data", "/opt/ml/processing/made/csv"],
        **data("SdkSpark"),
    )

trainer = ModelTrainer(
    training_image=pytorch,
    source_code=SourceCode(source_dir=str(folder), entry_script="train.py", requirements="requirements.txt"),
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    hyperparameters={"name": "a b"},
    base_job_name="SdkTrainer",
    role=role,
    sagemaker_session=session,
)
trainer.train(
    input_data_config=[
        InputData(
            channel_name="train",
            data_source=f"s3://{session.default_bucket()}/SdkRequirements/output/made/numbers.csv",
        )
    ]
)
