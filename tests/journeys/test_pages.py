"""The pages are followed as a reader follows them: their files are written, their commands typed."""

from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.journeys.reader import CONSOLE, FILE, Reader, unlike
from tests.store import chosen

from passrole.cli import main

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = {
    "tutorial/install.md": 2,
    "tutorial/first-pipeline.md": 11,
    "tutorial/from-training-to-an-endpoint.md": 11,
    "tutorial/train-a-model.md": 7,
    "howto/cache-and-retry.md": 6,
    "howto/check-quality-and-bias.md": 7,
    "howto/loop-over-items.md": 3,
    "howto/run-in-ci.md": 3,
    "howto/run-step-functions.md": 4,
    "howto/start-on-a-schedule.md": 4,
    "howto/tune-hyperparameters.md": 4,
    "howto/upgrade.md": 1,
}
"""The pages that are followed, with the number of commands on each."""

NOT_FOLLOWED = {
    "howto/answer-callbacks.md": "the first pipeline has its commands; test_recorded.py has its consumers",
    "howto/check-in-ci.md": "its files are a project's own; tests/cli/permissions has its commands",
    "howto/register-and-approve-models.md": "its models are yours; tests/cli/pipelines has its commands",
    "howto/deploy-a-model.md": "test_sdk.py approves a version, which its deploy.py deploys, and asks it",
    "howto/check-permissions.md": "its pipelines are not on the page; tests/cli/permissions has its commands",
    "howto/clients.md": "needs a client for each section; tests/journeys/clients has them",
    "howto/least-privilege.md": "tests/cli/permissions has its commands",
    "howto/run-notebooks.md": "needs papermill; test_sdk.py has its step, with `make test-notebooks`",
    "howto/run-jobs.md": "names folders of yours; tests/services/sagemaker/jobs runs jobs",
    "howto/run-emr-steps.md": "needs Spark and a cluster; test_emr_spark.py runs such steps",
    "howto/use-another-s3.md": "its ports are fixed; test_objects_elsewhere.py has such servers",
    "howto/use-the-console.md": "needs a browser; tests/console has its pages and forms",
    "howto/use-any-aws-client.md": "needs the AWS CLI; tests/journeys/clients has its commands",
}
SDK_2 = {
    "tutorial/from-training-to-an-endpoint.md",
    "tutorial/train-a-model.md",
    "howto/check-quality-and-bias.md",
    "howto/run-step-functions.md",
    "howto/tune-hyperparameters.md",
}
JOBS = {*SDK_2, "howto/cache-and-retry.md"}
FIRST_PIPELINE = (DOCS / "tutorial" / "first-pipeline.md").read_text()


def prepared(page: str, folder: Path) -> None:
    """What a page expects in the reader's folder."""
    if page == "howto/run-in-ci.md":
        for name, text in FILE.findall(FIRST_PIPELINE):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        (folder / "tests").mkdir()
        (folder / "tests" / "test_queues.py").write_text(
            "import boto3\ndef test_it():\n    assert 'QueueUrls' not in boto3.client('sqs').list_queues()\n"
        )
    if page == "howto/upgrade.md":
        done = CliRunner(env=chosen.variables(folder)).invoke(
            main, ["init", "--data", str(folder / ".passrole")]
        )
        assert done.exit_code == 0, done.output


@pytest.mark.slow
@pytest.mark.parametrize("page", COMMANDS)
def test_a_page_does_what_it_says(page: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if page in JOBS:
        request.getfixturevalue("sandboxed")
    if page in SDK_2 and not any(
        d.version.startswith("2.") for d in metadata.distributions(name="sagemaker")
    ):
        pytest.skip("version 2 of the SageMaker SDK is not installed")
    prepared(page, tmp_path)
    reader = Reader(tmp_path)
    try:
        assert reader.read((DOCS / page).read_text()) == COMMANDS[page]
    finally:
        reader.close()


def test_a_page_with_commands_is_followed_or_says_why_not() -> None:
    pages = {
        path.relative_to(DOCS).as_posix()
        for folder in ("tutorial", "howto")
        for path in (DOCS / folder).glob("*.md")
        if CONSOLE.search(path.read_text())
    }
    unknown = sorted(pages - COMMANDS.keys() - NOT_FOLLOWED.keys())
    assert unknown == [], "put these into COMMANDS, so that they are followed, or say in NOT_FOLLOWED why not"
    assert not COMMANDS.keys() & NOT_FOLLOWED.keys()


@pytest.mark.parametrize(
    ("page", "printed", "same"),
    [
        (["a", "b"], ["a", "b"], True),
        (["a", "...", "c"], ["a", "b", "b", "c"], True),
        (["...", "c"], ["a", "c"], True),
        (["a", "..."], ["a", "b"], True),
        (["    0.12 s  Succeeded  Score"], ["   10.48 s  Succeeded  Score"], True),
        (["a"], ["a", "b"], False),
        (["b"], ["a", "b"], False),
        (["a", "c"], ["a", "b", "c"], False),
        (["a", "...", "d"], ["a", "b", "c"], False),
        (["    0.12 s  Succeeded  Score"], ["    0.12 s  Failed     Score"], False),
    ],
)
def test_what_is_printed_is_compared_line_by_line(page: list[str], printed: list[str], same: bool) -> None:
    assert (unlike(page, printed) is None) is same
