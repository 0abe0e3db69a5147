"""`passrole init`: what onboarding to Studio Classic does, without a server."""

from pathlib import Path

import click

from passrole.cli.errors import Misuse
from passrole.cli.options import data_option, examples, settings_here, usable

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
    help="Also attach AmazonSageMakerFullAccess, as Studio's onboarding does.",
)
def init(data: Path | None, studio: bool) -> None:
    """Prepare a data folder: an execution role, an administrator.

    The role is the one that onboarding to SageMaker Studio Classic creates:
    `AmazonSageMaker-ExecutionRole-<time>` under `/service-role/`. It trusts sagemaker.amazonaws.com and
    has the managed policy AmazonSageMakerPipelinesIntegrations. With --studio it may also run jobs and
    use S3, as the examples in AWS's documentation do.

    You rarely need this command: `serve`, `exec` and `run` prepare a new folder too. Existing roles and keys
    are kept.
    """
    from passrole import app
    from passrole.store import DataFolderInUse

    config = usable(settings_here(data=data))
    try:
        access = None if studio else app.access(config)
        access = access or app.onboard(config, full_access=studio)
    except DataFolderInUse as error:
        raise Misuse(f"another server uses the data folder `{config.data}`") from error
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
