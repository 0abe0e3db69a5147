"""Options of several commands, their value types, and the ends of help pages."""

import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from passrole.cli.errors import Misuse
from passrole.client import data_folder
from passrole.config import Config, ConfigError, load

if TYPE_CHECKING:
    from click import Context, Parameter

_DATA = "passrole.data"
_NAME_CHARACTERS_MAX = 256  # of a pipeline

F = TypeVar("F", bound=Callable[..., Any])


class Assignment(NamedTuple):
    """NAME=VALUE, as it was typed."""

    name: str
    value: str


class AssignmentType(click.ParamType[Assignment]):
    """Parses NAME=VALUE; the value may contain equals signs or be empty. `name` is what help shows."""

    def __init__(self, name: str = "NAME=VALUE") -> None:
        self.name = name

    def convert(self, value: Any, param: "Parameter | None", ctx: "Context | None") -> Assignment:
        """Raises BadParameter."""
        if isinstance(value, Assignment):
            return value
        name, equals, rest = str(value).partition("=")
        if not equals or not name:
            self.fail(f"`{value}` is not {self.name}", param, ctx)
        return Assignment(name, rest)


def examples(*lines: str) -> str:
    """The end of a help page."""
    unwrapped = "\b"  # click's marker for lines that it must not wrap
    return "\n".join((unwrapped, "Examples:", *(f"  {line}" for line in lines)))


def data_option(command: F) -> F:
    """The folder with all data of a server; what is given before the command counts, too."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        callback=given_or_before,
        help="The data folder.  [default: .passrole here or above, or PASSROLE_DATA]",
    )(command)


def data_option_before(command: F) -> F:
    """The same before the name of the command."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        callback=_keep_for_the_command,
        expose_value=False,
        help="The data folder, as after the command.",
    )(command)


def format_option(command: F) -> F:
    """The form of the output."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="text for people, json for programs.",
    )(command)


def spark_options(command: F) -> F:
    """The Spark master of EMR steps, and their way to S3."""
    master = click.option(
        "--spark-master",
        metavar="URL",
        help="Where EMR steps run: spark://HOST:PORT, yarn, k8s://...  [default: local[*]]",
    )
    way = click.option(
        "--spark-s3",
        type=click.Choice(["s3a", "folder"]),
        help="Spark's way to S3; folder checks no permission.  [default: s3a]",
    )
    return master(way(command))


def image_options(command: F) -> F:
    """What stands for container images; see `image_rules`."""
    image = click.option(
        "--image",
        "images",
        metavar="GLOB=FORM",
        multiple=True,
        help="How to run an image: python:FOLDER, command:PROGRAM or container; may be repeated.",
    )
    engine = click.option(
        "--containers",
        type=click.Choice(["auto", "docker", "podman", "finch", "none"]),
        help="The container engine, for images that have no other form here.  [default: auto]",
    )
    return image(engine(command))


def image_rules(images: Iterable[str]) -> str | None:
    """The values of --image as the setting `images`; None where there are none."""
    return shlex.join(images) or None


def settings(**overrides: Any) -> Config:
    """The effective settings. Raises Misuse.

    Where nothing names a data folder and there is none here, it is looked for in the folders above.
    """
    config = settings_here(**overrides)
    if overrides.get("data") is None and config.data == Config.data:
        overrides["data"] = data_folder.above()
    return settings_here(**overrides) if overrides.get("data") else config


def settings_here(**overrides: Any) -> Config:
    """The same with a data folder that is or will be in the working directory. Raises Misuse."""
    try:
        return load(**overrides)
    except ConfigError as error:
        raise Misuse(str(error)) from error
    except OSError as error:
        raise Misuse(f"the settings cannot be read: {error.strerror} `{error.filename}`") from error


def usable(config: Config) -> Config:
    """The same settings, after the data folder exists and is writable. Raises InvalidInput."""
    data_folder.prepare(config, warn)
    return config


def say_where(config: Config) -> None:
    """Tell which data folder is used, where that was looked for in the folders above."""
    if config.data.is_absolute() and config.data == data_folder.above():
        say(f"the data folder is `{config.data}`")


def say(message: str) -> None:
    """A message for people, on standard error."""
    click.echo(message, err=True)


def warn(message: str) -> None:
    """A warning for people, on standard error."""
    say(f"warning: {message}")


def given_or_before(context: "Context", _option: "Parameter", value: Path | None) -> Path | None:
    """The callback of an option --data: what was given after the command, or before it."""
    before: Path | None = context.meta.get(_DATA)
    return value or before


def _keep_for_the_command(context: "Context", _option: "Parameter", value: Path | None) -> None:
    context.meta[_DATA] = value


def unique_assignments(assignments: Iterable[Assignment], option: str) -> dict[str, str]:
    """The values by name. Raises Misuse if a name is repeated."""
    values: dict[str, str] = {}
    for name, value in assignments:
        if name in values:
            raise Misuse(f"`{name}` is given twice with {option}")
        values[name] = value
    return values


def pipeline_name(stem: str) -> str:
    """A file's stem as a pipeline's name: letters, digits, and hyphens for all else; may be empty."""
    kept = "".join(each if each.isascii() and each.isalnum() else "-" for each in stem)
    return kept[:_NAME_CHARACTERS_MAX].strip("-")
