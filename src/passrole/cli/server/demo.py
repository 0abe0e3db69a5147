"""`passrole demo`: runs one of the bundled pipelines, in a data folder that is removed afterwards."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click

from passrole.cli.errors import Failed, Misuse
from passrole.cli.options import examples, given_or_before, settings
from passrole.config import Config

_EXAMPLES = examples(
    "passrole demo",
    "passrole demo review",
    "passrole demo train",
    "passrole demo --copy examples    # the files of all four, to change them",
)
FOLDER = Path(__file__).parents[2] / "examples"
_OURS = ("__pycache__", "__init__.py", "demonstration.py")


class Demo(NamedTuple):
    """A bundled pipeline: its folder, and why this machine cannot run it, if it cannot."""

    folder: str
    obstacle: Callable[[Config], str | None]


@click.command(epilog=_EXAMPLES)
@click.argument(
    "name",
    type=click.Choice(["models", "review", "train", "emr"]),
    default=None,
    metavar="[NAME]",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    callback=given_or_before,
    help="Keep the data in this folder.  [default: removed afterwards]",
)
@click.option(
    "--copy",
    "copy",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Copy the files of the examples to a new folder, and run nothing.",
)
@click.pass_context
def demo(context: click.Context, name: str | None, data: Path | None, copy: Path | None) -> None:
    """Run an example pipeline, then a variant that is denied.

    NAME is `models` (the default: a model is trained, registered, approved, deployed and asked), `review`
    (two functions, and an approval through a queue), `train` (jobs, cached the second time) or `emr` (an EMR
    step on Spark). `models` and `train` need a sandbox; without one the default is `review`. `emr` needs Java
    17 and `pip install 'passrole[emr]'`.

    It takes seconds (emr: a minute), needs no AWS account and leaves nothing behind.
    """
    if copy is not None:
        _copy(copy)
        return
    from passrole.cli.server import process
    from passrole.cli.server.env import variables
    from passrole.cli.temporary_server import connected
    from passrole.client import environment

    with _folder(data) as folder:
        config = _with_a_way_to_s3(settings(data=folder)) if name == "emr" else settings(data=folder)
        chosen = _chosen(name, config)
        if config.spark_s3 == "folder":
            click.echo("Spark reads objects as files here, and no permission is checked; S3A, which")
            click.echo("`passrole doctor --install-s3a` downloads, would call S3 as the step's role.")
        with connected(config) as connection:
            values = {**variables(config, connection, None), "PASSROLE_DATA": str(folder.absolute())}
            program = [sys.executable, "-u", str(FOLDER / chosen.folder / "demo.py")]
            code = process.run(program, environment.merged(os.environ, values))
    context.exit(code)


def _chosen(name: str | None, config: Config) -> "Demo":
    """The demo of that name; without one the first that this machine can run."""
    obstacle = _DEMOS[name or _DEFAULT].obstacle(config)
    if obstacle is None:
        return _DEMOS[name or _DEFAULT]
    if name is not None:
        raise Failed(f"this machine cannot run the demo `{name}`: {obstacle}")
    click.echo(f"the demo `{_DEFAULT}` cannot run here ({obstacle}); this is `{_EVERYWHERE}`", err=True)
    return _DEMOS[_EVERYWHERE]


def _with_a_way_to_s3(config: Config) -> Config:
    """A machine without S3A has the folder, so that the demo needs no further download."""
    from passrole.runtimes.spark import Spark

    return config if Spark(config).uses_s3a or config.s3_endpoint else replace(config, spark_s3="folder")


def _copy(folder: Path) -> None:
    try:
        shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns(*_OURS))
    except FileExistsError as error:
        raise Misuse(f"`{folder}` exists; name a new folder") from error
    except OSError as error:
        raise Misuse(f"cannot copy to `{folder}`: {error.strerror}") from error
    click.echo(f"copied to {folder}; each folder has a README.md")


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="passrole-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _nothing(_config: Config) -> None:
    """Functions run on every machine."""


def _without_sandbox(config: Config) -> str | None:
    from passrole.runtimes import sandbox

    try:
        found = sandbox.chosen(config.sandbox)
    except sandbox.SandboxMissing as error:
        return str(error)
    return None if found.confines else "its jobs need a sandbox, and the setting says `none`"


def _without_spark(config: Config) -> str | None:
    from passrole.runtimes.spark import Spark

    return Spark(config).unavailable_reason()


_DEFAULT, _EVERYWHERE = "models", "review"
_DEMOS = {
    "models": Demo("abalone", _without_sandbox),
    "review": Demo("stopping_distance", _nothing),
    "train": Demo("stopping_model", _without_sandbox),
    "emr": Demo("distance_by_speed", _without_spark),
}
