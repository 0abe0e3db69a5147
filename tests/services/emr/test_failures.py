"""Why a step failed, from what its program wrote."""

from pathlib import Path

import pytest

from passrole.services.emr import failures

OF_SPARK = """Traceback (most recent call last):
  File "/tmp/where.py", line 11, in <module>
    print(spark.read.text(sys.argv[1]).count())
py4j.protocol.Py4JJavaError: An error occurred while calling o54.text.
: java.nio.file.AccessDeniedException: s3://lake/closed/a.txt: Forbidden (Status Code: 403)
\tat org.apache.hadoop.fs.s3a.S3AUtils.translateException(S3AUtils.java:249)
Caused by: com.amazonaws.services.s3.model.AmazonS3Exception: Forbidden
\t... 20 more
"""


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        ("Traceback\nValueError: no rows\n26/11/29 INFO ShutdownHookManager: bye\n", "ValueError: no rows"),
        ("ValueError: first\n: not a cause\nOSError: last\n", "OSError: last"),
        ("ValueError: no rows\n: of nobody\n", "ValueError: no rows"),
        (
            OF_SPARK,
            "py4j.protocol.Py4JJavaError: An error occurred while calling o54.text."
            ": java.nio.file.AccessDeniedException: s3://lake/closed/a.txt: Forbidden (Status Code: 403)",
        ),
        ("", failures.UNKNOWN),
    ],
)
def test_the_reason_is_the_last_exception_with_what_java_says(
    tmp_path: Path, stderr: str, reason: str
) -> None:
    (tmp_path / "stderr").write_text(stderr)
    assert failures.explain(tmp_path, None, None)["Reason"] == reason
