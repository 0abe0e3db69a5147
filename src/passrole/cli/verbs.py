"""The command that holds the verbs, and how every error leaves: one line on stderr and an exit code.

0    done                      1    the run failed, or the server refused
2    misuse                    130  interrupted from the keyboard
"""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import click

from passrole.log_format import escaped

INTERRUPTED = 130


class Failed(click.ClickException):
    """What was asked could not be done; exit code 1."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.ctx = click.get_current_context(silent=True)


class Misuse(click.UsageError):
    """What was asked makes no sense as asked; exit code 2."""


class Verbs(click.Group):
    """A group that lists its verbs in the order of a first day, and reports in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(self.commands)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """As click's, but for how errors are told."""
        options = {"complete_var": complete_var, "windows_expand_args": windows_expand_args, **extra}
        if not standalone_mode:
            return super().main(args, prog_name, standalone_mode=False, **options)
        try:
            code = super().main(args, prog_name, standalone_mode=False, **options)
        except click.ClickException as error:
            click.echo(one_line(error), err=True)
            code = error.exit_code
        except click.Abort:
            code = INTERRUPTED
        sys.exit(code)


def one_line(error: click.ClickException) -> str:
    """`passrole run: no such option '--datta'`; a wrong use also says where the help is."""
    context = error.ctx if isinstance(error, click.UsageError | Failed) else None
    name = context.command_path if context else "passrole"
    sentence = escaped(" ".join(error.format_message().split())).removesuffix(".")
    if isinstance(error, Failed | Misuse):
        return f"{name}: {sentence}"
    return f"{name}: {sentence[:1].lower()}{sentence[1:]} (see `{name} --help`)"  # click's own words


def examples(*lines: str) -> str:
    """The end of a help page."""
    unwrapped = "\b"  # click's mark for lines that stay as they are
    return "\n".join((unwrapped, "Examples:", *(f"  {line}" for line in lines)))


@click.group(
    "passrole",
    cls=Verbs,
    invoke_without_command=True,
    epilog=examples(
        "passrole run pipeline.json --function sagemaker-score=./score:app.handler",
        "passrole exec -- python my_pipeline.py    # any AWS client, unchanged",
        'eval "$(passrole env)"                    # where `passrole serve` runs',
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(version("passrole"), message="passrole %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Run Amazon SageMaker Pipelines on your own machine, authorised as AWS IAM would."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
