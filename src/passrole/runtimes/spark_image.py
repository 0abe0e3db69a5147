"""Spark for jobs whose image is `sagemaker-spark-processing`: the one that EMR steps use, on one machine.

A job reads and writes S3 as its own role, over the wire, by Hadoop's S3A (s3a.py). Where that is not
installed, and is not among the job's own jars, a job has its inputs and outputs below /opt/ml.
"""

from pathlib import Path

from passrole.config import Config
from passrole.runtimes import s3a
from passrole.runtimes.ml.environment import Access
from passrole.runtimes.spark import LOOPBACK, Spark

CONFIGURATION = "spark-defaults.conf"
_MASTER = "local[*]"
"""Whatever EMR steps use: workers elsewhere do not see a job's /opt/ml."""


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
    found = s3a.jars(config.s3a_jars, home)
    return {
        **({"SPARK_DIST_CLASSPATH": s3a.class_path(found)} if found else {}),
        "SPARK_HOME": str(home),
        "SPARK_CONF_DIR": str(configuration),
        "JAVA_HOME": str(java.resolve().parent.parent),
        "PYSPARK_PYTHON": "python3",
    }


def configure(folder: Path, access: Access) -> None:
    """Write the job's configuration, which the user's cannot override."""
    settings = {
        "spark.master": _MASTER,
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": LOOPBACK,
        "spark.driver.host": LOOPBACK,
        **s3a.settings(access.endpoint_url),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIGURATION).write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
