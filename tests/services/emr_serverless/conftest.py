"""Applications and job runs for the tests, made through boto3; most programs only print."""

from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.eventually import eventually

SERVERLESS = "emr-serverless.amazonaws.com"
ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
OVER = ("SUCCESS", "FAILED", "CANCELLED")
SPARK_SECONDS = 240.0


class Workshop:
    """Makes applications and job runs on a server, and keeps the client of its administrator."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client = server.client("emr-serverless")
        self.s3 = server.client("s3")
        self.role: str = server.role([ANYTHING], trust=SERVERLESS)
        self.bucket = new_name("bucket")
        self.s3.create_bucket(Bucket=self.bucket)

    def application(self, **more: Any) -> str:
        """A new application's id."""
        given = {"type": "SPARK", "releaseLabel": "emr-7.1.0", **more}
        made: str = self.client.create_application(**given)["applicationId"]
        return made

    def state(self, application: str) -> str:
        return str(self.client.get_application(applicationId=application)["application"]["state"])

    def script(self, source: str) -> str:
        """The address of a program in S3."""
        key = f"{new_name('program')}.py"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=source.encode())
        return f"s3://{self.bucket}/{key}"

    def start(self, application: str, source: str, *args: str, submit: str = "", **more: Any) -> str:
        """A new job run's id."""
        spark = {"entryPoint": self.script(source), "entryPointArguments": list(args)}
        if submit:
            spark["sparkSubmitParameters"] = submit
        given = {"executionRoleArn": self.role, "jobDriver": {"sparkSubmit": spark}, **more}
        made: str = self.client.start_job_run(applicationId=application, **given)["jobRunId"]
        return made

    def run(self, application: str, job_run: str) -> Any:
        return self.client.get_job_run(applicationId=application, jobRunId=job_run)["jobRun"]

    def until(self, application: str, job_run: str, *states: str) -> Any:
        """The job run, once it is in one of the states; by default, over."""

        def there() -> Any:
            found = self.run(application, job_run)
            return found if found["state"] in (states or OVER) else None

        return eventually(there, seen=lambda: self.run(application, job_run), seconds=SPARK_SECONDS)


@pytest.fixture(scope="module")
def workshop(server: Server) -> Workshop:
    return Workshop(server)
