"""Hadoop's S3A: Spark's way to S3 over the wire, on which each read and write is decided by IAM.

It is not part of pyspark: it comes in the jars hadoop-aws and aws-java-sdk-bundle. Either Spark's own folder
`jars` has them, or the folder in the setting `s3a_jars`, which `passrole doctor --install-s3a` fills.
https://hadoop.apache.org/docs/stable/hadoop-aws/tools/hadoop-aws/index.html
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from passrole import private_files
from passrole.runtimes.ml.environment import RenewedCredentials

FILE_SYSTEM = "org.apache.hadoop.fs.s3a.S3AFileSystem"
CREDENTIALS = (
    "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
    "com.amazonaws.auth.EC2ContainerCredentialsProviderWrapper",
)
OF_A_SESSION = "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider"
_OF_A_PROFILE_1 = "com.amazonaws.auth.profile.ProfileCredentialsProvider"
_OF_A_PROFILE_2 = "software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider"
PROFILE = "aws-profile"
"""The name of the file with the profile of executors elsewhere."""

_SDKS = ("aws-java-sdk-bundle-*.jar", "bundle-2.*.jar")
"""Version 1 of AWS's SDK up to Hadoop 3.3, version 2 from 3.4 on."""

_VERSION = re.compile(r"-(\d+\.\d+)\.[^/]*\.jar$")


def has_own(spark_home: Path) -> bool:
    """Whether Spark came with S3A."""
    return any((spark_home / "jars").glob("hadoop-aws-*.jar"))


def jars(folder: str, spark_home: Path) -> list[Path]:
    """The jars of S3A and of AWS's SDK in the folder, where Spark has none of its own.

    None where they are not made for this Spark's Hadoop: only the last part of the version may differ.
    """
    if not folder or has_own(spark_home):
        return []
    wanted = next(map(_version, (spark_home / "jars").glob("hadoop-client-api-*.jar")), None)
    there = sorted(Path(folder).glob("*.jar"))
    found = next((jar for jar in there if jar.match("hadoop-aws-*") and _version(jar) == wanted), None)
    sdk = next((jar for pattern in _SDKS for jar in there if jar.match(pattern)), None)
    return [found, sdk] if found is not None and sdk is not None else []


def settings(
    endpoint: str, session: Mapping[str, str] | None = None, providers: Sequence[str] = CREDENTIALS
) -> dict[str, str]:
    """Spark's settings for `s3://`, `s3a://` and `s3n://` at an S3 `endpoint`.

    The credentials are those of the program's environment, or of the `providers`; `session` has the
    variables of one session, for those that find them in no environment.
    """
    return {
        "spark.hadoop.fs.s3.impl": FILE_SYSTEM,
        "spark.hadoop.fs.s3n.impl": FILE_SYSTEM,
        "spark.hadoop.fs.s3a.impl": FILE_SYSTEM,
        "spark.hadoop.fs.s3a.endpoint": endpoint,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": str(urlsplit(endpoint).scheme == "https").lower(),
        "spark.hadoop.fs.s3a.aws.credentials.provider": ",".join(providers),
        **{f"spark.hadoop.fs.s3a.{name}": (session or {})[key] for name, key in _KEYS if session},
    }


def profile_provider(among: Sequence[Path]) -> str:
    """Which class of AWS's SDK, which is one of these jars, reads a file of profiles."""
    newer = any(jar.match(_SDKS[1]) for jar in among)
    return _OF_A_PROFILE_2 if newer else _OF_A_PROFILE_1


def write_profile(path: Path, renewed: RenewedCredentials) -> None:
    """A file of profiles whose only one has a command that gets credentials, which the SDK runs again before
    they expire. Unlike a container's credentials, they may come from another machine.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
    """
    ask = f"curl -fsS --noproxy '*' -H 'Authorization: {renewed.token}' '{renewed.uri}'"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    private_files.write(path, f"[default]\ncredential_process = {ask}\n".encode())


def finding(profiles: Path) -> dict[str, str]:
    """The variables by which AWS's SDKs find a file of profiles; the first is that of the SDK for Java 1."""
    return {"AWS_CREDENTIAL_PROFILES_FILE": str(profiles), "AWS_SHARED_CREDENTIALS_FILE": str(profiles)}


def class_path(found: list[Path]) -> str:
    """The jars as Java takes them."""
    return ":".join(map(str, found))


_KEYS = (
    ("access.key", "AWS_ACCESS_KEY_ID"),
    ("secret.key", "AWS_SECRET_ACCESS_KEY"),
    ("session.token", "AWS_SESSION_TOKEN"),
)


def _version(jar: Path) -> str | None:
    found = _VERSION.search(jar.name)
    return found[1] if found else None
