"""`passrole init`: what onboarding to Studio Classic does, without a server."""

from pathlib import Path

import click

from passrole.cli.errors import Misuse
from passrole.cli.options import data_option, examples, settings, usable

_EXAMPLES = examples(
    "passrole init --data ./pipelines",
    "passrole init --studio",
    'eval "$(passrole env --data ./pipelines)"',
)


@click.command(epilog=_EXAMPLES)
@data_option
@click.option(
    "--studio",
    is_flag=True,
    help="Attach AmazonSageMakerFullAccess too, as Studio's onboarding gives in practice.",
)
def init(data: Path | None, studio: bool) -> None:
    """Prepare a data folder: an execution role, an administrator.

    The role is what onboarding to SageMaker Studio Classic makes: `AmazonSageMaker-ExecutionRole-<time>`
    under `/service-role/`, trusting sagemaker.amazonaws.com, with the managed policy
    AmazonSageMakerPipelinesIntegrations attached. What is there already stays as it is, and `serve`,
    `exec` and `run` do this by themselves on a new folder. With --studio the role may do what the examples
    of AWS's documentation need beside pipelines, such as jobs and S3.
    """
    from passrole import app
    from passrole.store import DataFolderInUse

    config = usable(settings(data=data))
    try:
        access = None if studio else app.access(config)
        access = access or app.onboard(config, full_access=studio)
    except DataFolderInUse as error:
        raise Misuse(f"another server holds the data folder `{config.data}`") from error
    except app.DataFolderUnusable as error:
        raise Misuse(str(error)) from error
    for label, value in (
        ("account", access.account),
        ("region", access.region),
        ("execution role", access.role_arn),
        ("function role", access.lambda_role_arn),
        ("administrator", access.user),
        ("access key", access.access_key_id),
        ("credentials", str(config.data / "credentials.json")),
    ):
        click.echo(f"{label:<15} {value}")
