"""Spark for jobs whose image is `sagemaker-spark-processing`: the one that EMR steps use, on one machine.

A job reads and writes S3 as its own role, over the wire, by Hadoop's S3A. That is not part of pyspark, but in
the jars hadoop-aws and aws-java-sdk-bundle, in Spark's folder `jars` or among the job's own. Without them a
job has its inputs and outputs below /opt/ml.
https://hadoop.apache.org/docs/stable/hadoop-aws/tools/hadoop-aws/index.html
"""

from pathlib import Path
from urllib.parse import urlsplit

from passrole.config import Config
from passrole.runtimes.ml.environment import Access
from passrole.runtimes.spark import LOOPBACK, Spark

CONFIGURATION = "spark-defaults.conf"
_MASTER = "local[*]"
"""Whatever EMR steps use: workers elsewhere do not see a job's /opt/ml."""

_S3A = "org.apache.hadoop.fs.s3a.S3AFileSystem"
_CREDENTIALS = (
    "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
    "com.amazonaws.auth.EC2ContainerCredentialsProviderWrapper",
)


class SparkMissing(Exception):
    """There is no Spark or no Java; the message says what to install."""


def variables(config: Config, environment: Path, configuration: Path) -> dict[str, str]:
    """The environment variables of a Spark job beside those of every job; `environment` is its Python's,
    whose pyspark comes first, after the setting `spark_home`. Raises SparkMissing.
    """
    spark = Spark(config)
    own = next((environment / "lib").glob("python3.*/site-packages/pyspark"), None)
    home = spark.home if config.spark_home or own is None else own
    java = spark.java
    if home is None or java is None:
        raise SparkMissing(spark.unavailable_reason())
    return {
        "SPARK_HOME": str(home),
        "SPARK_CONF_DIR": str(configuration),
        "JAVA_HOME": str(java.resolve().parent.parent),
        "PYSPARK_PYTHON": "python3",
    }


def configure(folder: Path, access: Access) -> None:
    """Write the job's configuration, which the user's cannot override."""
    url = urlsplit(access.endpoint_url)
    settings = {
        "spark.master": _MASTER,
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": LOOPBACK,
        "spark.driver.host": LOOPBACK,
        "spark.hadoop.fs.s3.impl": _S3A,
        "spark.hadoop.fs.s3n.impl": _S3A,
        "spark.hadoop.fs.s3a.endpoint": access.endpoint_url,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": str(url.scheme == "https").lower(),
        "spark.hadoop.fs.s3a.aws.credentials.provider": ",".join(_CREDENTIALS),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIGURATION).write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
