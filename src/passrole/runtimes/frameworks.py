"""The frameworks that images are named after, and whether a Python environment has the same version.

Only files are read: no program of the environment runs.
https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/sagemaker-algo-docker-registry-paths.html
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib import metadata
from itertools import takewhile
from pathlib import Path

from passrole.runtimes.image_names import repository, tag

_DISTRIBUTIONS = (
    ("sagemaker-scikit-learn", "scikit-learn"),
    ("sagemaker-xgboost", "xgboost"),
    ("sagemaker-spark-processing", "pyspark"),
    ("pytorch-training*", "torch"),
    ("tensorflow-training*", "tensorflow"),
    ("mxnet-training*", "mxnet"),
    ("huggingface-pytorch-training*", "torch"),
    ("huggingface-tensorflow-training*", "tensorflow"),
    ("pytorch-inference*", "torch"),
    ("tensorflow-inference*", "tensorflow"),
    ("mxnet-inference*", "mxnet"),
    ("huggingface-pytorch-inference*", "torch"),
    ("huggingface-tensorflow-inference*", "tensorflow"),
)
"""Repositories, and the packages whose version begins the tag."""

NEEDED = {
    "function": (("sagemaker",), "install it there"),
    "notebook": (("papermill", "ipykernel"), "`pip install 'passrole[notebooks]'` there"),
    "quality analyser": (("pandas",), "install it there, or `pip install 'passrole[checks]'`"),
    "bias analyser": (("pandas", "smclarify"), "`pip install 'passrole[checks]'` there"),
}
"""By the form of a program that is the SDK's or ours: what it imports, and how one gets that."""


def difference(image: str, environment: Path, *, tells_missing: bool = True) -> str | None:
    """How the framework in an environment differs from the image's; None where it does not."""
    name = distribution(image)
    if name is None:
        return None
    places = list(map(str, package_folders(environment)))
    found = (
        each for word in (name, f"{name}-cpu") for each in metadata.distributions(name=word, path=places)
    )
    installed = next((each.version for each in found), "")
    wanted = _version(tag(image) or "")
    if not installed:
        return f"{name} is not installed in {environment}" if tells_missing else None
    if wanted and wanted != installed.split(".")[: len(wanted)]:
        return f"{name} is {'.'.join(wanted)} in the image and {installed} in {environment}"
    return None


def handlers(image: str) -> str:
    """Whose default handlers serve the image's models: the name that serve_model.py knows."""
    known = {"scikit-learn": "sklearn", "xgboost": "xgboost", "torch": "torch"}
    is_pytorchs_own = repository(image).startswith("pytorch-")  # Hugging Face's has others
    name = distribution(image) or ""
    return known.get(name, "other") if name != "torch" or is_pytorchs_own else "other"


def lacking(form: str, environment: Path, layer: Path | None = None) -> str | None:
    """What such a program of this form finds neither in an environment nor in a layer upon it, and how to
    mend that.
    """
    names, remedy = NEEDED[form]
    folders = filter(None, (environment, layer))
    places = [str(each) for folder in folders for each in package_folders(folder)]
    missing = [name for name in names if not any(metadata.distributions(name=name, path=places))]
    return f"{' and '.join(missing)} not found in {environment}: {remedy}" if missing else None


def distribution(image: str) -> str | None:
    """The package that an image is named after."""
    name = repository(image)
    return next((package for pattern, package in _DISTRIBUTIONS if fnmatchcase(name, pattern)), None)


def package_folders(environment: Path) -> list[Path]:
    """The folders of an environment's packages, those that .pth files name among them."""
    return [each for folder in environment.glob("lib/python3*/*-packages") for each in _with_added(folder)]


def _version(tag_: str) -> list[str]:
    """`1.2-1-cpu-py3` is 1.2: what follows the hyphen is the image's own count."""
    return list(takewhile(str.isdigit, tag_.partition("-")[0].split(".")))


def _with_added(folder: Path) -> Iterator[Path]:
    yield folder
    for file in folder.glob("*.pth"):
        lines = file.read_text(errors="replace").splitlines()
        yield from (Path(line) for line in lines if line.startswith("/") and Path(line).is_dir())
