"""Processing and training jobs as version 2 of the SDK's documentation has them, without a pipeline.

Run as a user runs it; the test looks at what is left.
"""

import pathlib
import tempfile
import zipfile

import sagemaker
from sagemaker.inputs import TrainingInput
from sagemaker.processing import FrameworkProcessor, ProcessingInput, ProcessingOutput
from sagemaker.pytorch import PyTorch
from sagemaker.sklearn import SKLearn, SKLearnProcessor

session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
machine = {"instance_type": "ml.m5.large", "instance_count": 1}
folder = pathlib.Path(tempfile.mkdtemp())

(folder / "prepare.py").write_text(
    "import argparse, pathlib\n"
    "parser = argparse.ArgumentParser()\n"
    "parser.add_argument('--factor', type=int)\n"
    "factor = parser.parse_args().factor\n"
    "base = pathlib.Path('/opt/ml/processing')\n"
    "lines = (base / 'input' / 'numbers.csv').read_text().split()\n"
    "(base / 'train' / 'numbers.csv').write_text('\\n'.join(str(int(each) * factor) for each in lines))\n"
)
(folder / "train.py").write_text(
    "import argparse, json, os, pathlib, subprocess, sys\n"
    "pip = [sys.executable, '-m', 'pip', 'install', './doubling-1.0-py3-none-any.whl']\n"
    "subprocess.check_call(pip)\n"
    "import doubling\n"
    "parser = argparse.ArgumentParser()\n"
    "parser.add_argument('--name')\n"
    "parser.add_argument('--train', default=os.environ['SM_CHANNEL_TRAIN'])\n"
    "parser.add_argument('--model-dir', default=os.environ['SM_MODEL_DIR'])\n"
    "given = parser.parse_args()\n"
    "numbers = [int(each) for each in (pathlib.Path(given.train) / 'numbers.csv').read_text().split()]\n"
    "model = {'name': given.name, 'sum': sum(numbers), 'double': doubling.double(sum(numbers))}\n"
    "(pathlib.Path(given.model_dir) / 'model.json').write_text(json.dumps(model))\n"
    "print('summed', model['sum'])\n"
)

with zipfile.ZipFile(folder / "doubling-1.0-py3-none-any.whl", "w") as archive:
    archive.writestr("doubling.py", "def double(number):\n    return 2 * number\n")
    info = "doubling-1.0.dist-info"
    archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: doubling\nVersion: 1.0\n")
    archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    archive.writestr(f"{info}/RECORD", f"doubling.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n")

uri = session.upload_string_as_file_body("1\n2\n3\n", session.default_bucket(), "numbers/numbers.csv")


def data() -> dict[str, list[object]]:
    """Anew for each job: the SDK writes into these where it has put things."""
    return {
        "inputs": [ProcessingInput(source=uri, destination="/opt/ml/processing/input")],
        "outputs": [ProcessingOutput(output_name="train", source="/opt/ml/processing/train")],
    }


processor = SKLearnProcessor("1.2-1", role, base_job_name="SdkPrepare", **machine)
processor.run(code=str(folder / "prepare.py"), arguments=["--factor", "10"], **data())
prepared = processor.latest_job.outputs[0].destination

framework = FrameworkProcessor(
    SKLearn, "1.2-1", role, base_job_name="SdkFramework", command=["python3"], **machine
)
framework.run(
    code="prepare.py",
    source_dir=str(folder),
    arguments=["--factor", "2"],
    **data(),
)

common = {"source_dir": str(folder), "role": role, "hyperparameters": {"name": "a b"}, **machine}
sklearn = SKLearn("train.py", framework_version="1.2-1", base_job_name="SdkSklearn", **common)
sklearn.fit({"train": TrainingInput(prepared)})
assert sklearn.latest_training_job.describe()["TrainingJobStatus"] == "Completed"

pytorch = PyTorch("train.py", framework_version="2.0", py_version="py310", base_job_name="SdkTorch", **common)
try:
    pytorch.fit({"other": TrainingInput(prepared)})
except sagemaker.exceptions.UnexpectedStatusException as error:
    assert "KeyError: 'SM_CHANNEL_TRAIN'" in str(error), error
else:
    raise AssertionError("a channel that the script needs was not there")
