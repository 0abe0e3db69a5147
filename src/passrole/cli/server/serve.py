"""`passrole serve`: runs a server."""

from pathlib import Path
from typing import Any

import click

from passrole.cli.errors import Misuse
from passrole.cli.options import (
    data_option,
    examples,
    image_options,
    image_rules,
    say_where,
    settings,
    spark_options,
    usable,
)

_EXAMPLES = examples(
    "passrole serve --data /srv/pipelines --port 4566",
    "passrole is ready at http://127.0.0.1:4566",
    "",
    "passrole serve --only s3 --data /srv/objects --port 9000",
    "passrole serve --data /srv/pipelines --s3-endpoint http://127.0.0.1:9000",
)


@click.command(epilog=_EXAMPLES)
@data_option
@click.option("--host", metavar="ADDRESS", help="The address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port; 0 takes any free one.  [default: 4566]"
)
@click.option(
    "--public-url", metavar="URL", help="What answers call the server: a balancer's URL.  [default: its own]"
)
@click.option(
    "--only",
    type=click.Choice(["s3"]),
    help="Serve S3 alone, with IAM and STS: no pipelines, no jobs.",
)
@click.option("--s3-endpoint", metavar="URL", help="Keep the objects there.  [default: files in the folder]")
@click.option(
    "--store",
    metavar="URL",
    help="PostgreSQL for the rows. Better PASSROLE_STORE: every user of the machine sees a password here."
    "  [default: a file in the folder]",
)
@click.option("--console/--no-console", default=None, help="Serve the console's pages too.  [default: no]")
@click.option(
    "--console-port",
    type=click.IntRange(0, 65535),
    help="The pages' port; 0 takes any free one.  [default: 4568]",
)
@click.option("--otlp-endpoint", metavar="URL", help="Send traces to this OpenTelemetry collector.")
@spark_options
@image_options
@click.option(
    "--log-level", metavar="LEVEL", help="debug, info, warning, error or critical.  [default: info]"
)
@click.option("--log-format", metavar="FORMAT", help="text, or json: an object a line.  [default: text]")
@click.option("--log-calls/--no-log-calls", default=None, help="Log a line for each call.  [default: yes]")
def serve(
    data: Path | None,
    host: str | None,
    port: int | None,
    store: str | None,
    console: bool | None,
    console_port: int | None,
    otlp_endpoint: str | None,
    spark_master: str | None,
    spark_s3: str | None,
    images: tuple[str, ...],
    containers: str | None,
    **more: Any,
) -> None:
    """Serve the AWS API from a data folder until SIGTERM or Ctrl-C.

    Prints one line when it accepts calls. A new folder is prepared first, as with `passrole init`. SIGTERM or
    Ctrl-C stops the server; executions that were running continue at the next start. Ctrl-C ends jobs and EMR
    steps too; after SIGTERM their programs go on, and the next server finds them.

    Objects of S3 are files in the folder, or at --s3-endpoint: any other S3, whose key is in
    PASSROLE_S3_ACCESS_KEY_ID and PASSROLE_S3_SECRET_ACCESS_KEY. --only s3 makes a server such an endpoint:
    it has buckets, objects, users, roles and sessions, decides each call by IAM, and refuses all else.
    """
    from passrole import app
    from passrole.config import ConfigError
    from passrole.store import DataFolderInUse
    from passrole.worker import traces

    if otlp_endpoint and (problem := traces.problem(otlp_endpoint)) is not None:
        raise Misuse(f"no traces can be sent: {problem}")
    jobs = {"images": image_rules(images), "containers": containers}
    jobs |= {"spark_master": spark_master, "spark_s3": spark_s3}
    pages = {"console": console, "console_port": console_port, "otlp_endpoint": otlp_endpoint}
    config = usable(settings(data=data, host=host, port=port, store=store, **pages, **jobs, **more))
    if config.only and config.console:
        raise Misuse("the console is about pipelines, which a server with --only s3 has not: leave it out")
    if config.log_format == "text":
        say_where(config)  # no object, as the lines of the other form are
    try:
        app.serve(config, _ready)
    except DataFolderInUse as error:
        raise Misuse(f"another server uses the data folder `{config.data}`") from error
    except (ConfigError, app.DataFolderUnusable) as error:
        raise Misuse(str(error)) from error
    except app.ConsoleMissing as error:
        raise Misuse(
            f"the console needs the package `{error}`; install it with `pip install 'passrole[console]'`"
        ) from error
    except app.CannotListen as error:
        raise Misuse(f"cannot listen on {error}") from error


def _ready(url: str) -> None:
    click.echo(f"passrole is ready at {url}")  # click flushes
