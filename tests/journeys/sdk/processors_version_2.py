"""Processors of version 2 of the SDK, with what their documentation shows beside a script: a program of
another language, requirements, Spark and its configuration.

Run as a user runs it; the test looks at what is left.
"""

import os
import pathlib
import tempfile
import zipfile

import sagemaker
from sagemaker.processing import FrameworkProcessor, ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.pytorch import PyTorch
from sagemaker.spark.processing import PySparkProcessor

session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
machine = {"instance_type": "ml.m5.large", "instance_count": 1}
uri = session.upload_string_as_file_body("1\n2\n3\n", session.default_bucket(), "numbers/numbers.csv")


def data() -> dict[str, list[object]]:
    """Anew for each job: the SDK writes into these where it has put things."""
    return {
        "inputs": [ProcessingInput(source=uri, destination="/opt/ml/processing/input/data")],
        "outputs": [ProcessingOutput(output_name="made", source="/opt/ml/processing/made")],
    }


def written(name: str, text: str) -> str:
    """A script in a folder of its own."""
    path = pathlib.Path(tempfile.mkdtemp()) / name
    path.write_text(text)
    return str(path)


def wheel(folder: pathlib.Path) -> None:
    """A package that no index has."""
    with zipfile.ZipFile(folder / "doubling-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("doubling.py", "def double(number):\n    return 2 * number\n")
        info = "doubling-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: doubling\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"doubling.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n")


shell = ScriptProcessor(
    image_uri="111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:1",
    role=role,
    command=["bash"],
    base_job_name="SdkShell",
    **machine,
)
shell.run(
    code=written("count.sh", 'wc -l < /opt/ml/processing/input/data/numbers.csv > "$1"\n'),
    arguments=["/opt/ml/processing/made/count"],
    **data(),
)

script = written(
    "double.py",
    "import pathlib\n"
    "import doubling, numpy\n"
    "base = pathlib.Path('/opt/ml/processing')\n"
    "numbers = numpy.loadtxt(base / 'input' / 'data' / 'numbers.csv')\n"
    "(base / 'made' / 'sum').write_text(str(int(doubling.double(numbers).sum())))\n",
)
folder = pathlib.Path(script).parent
wheel(folder)
(folder / "requirements.txt").write_text("numpy\n./doubling-1.0-py3-none-any.whl\n")
framework = FrameworkProcessor(
    estimator_cls=PyTorch,
    framework_version="2.0",
    py_version="py310",
    role=role,
    base_job_name="SdkRequirements",
    **machine,
)
framework.run(code="double.py", source_dir=str(folder), **data())

if not os.environ.get("WITHOUT_SPARK"):
    spark = PySparkProcessor(
        framework_version="3.3", role=role, base_job_name="SdkSpark", max_runtime_in_seconds=600, **machine
    )
    spark.run(
        submit_app=written(
            "total.py",
            "import sys\n"
            "from pyspark.sql import SparkSession\n"
            "import tripling\n"
            "spark = SparkSession.builder.appName('total').getOrCreate()\n"
            "assert spark.conf.get('spark.sql.shuffle.partitions') == '2'\n"
            "numbers = spark.read.csv(sys.argv[1], schema='n int')\n"
            "numbers.selectExpr(f'sum(n) * {tripling.FACTOR} as total').write.csv(sys.argv[2])\n",
        ),
        submit_py_files=[written("tripling.py", "FACTOR = 3\n")],
        arguments=["/opt/ml/processing/input/data", "/opt/ml/processing/made/csv"],
        configuration=[
            {"Classification": "spark-defaults", "Properties": {"spark.sql.shuffle.partitions": "2"}}
        ],
        spark_event_logs_s3_uri=None,
        **data(),
    )
