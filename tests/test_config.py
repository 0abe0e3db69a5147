"""What follows from settings, and what cannot be one."""

from pathlib import Path
from typing import Any

import pytest

from passrole.config import Config, ConfigError, load


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:4566"),
        ("localhost", "http://localhost:4566"),
        ("::1", "http://[::1]:4566"),
        ("::", "http://[::]:4566"),
    ],
)
def test_an_ipv6_address_is_in_brackets_in_the_url(host: str, url: str) -> None:
    assert Config(host=host).endpoint_url == url


PUBLIC_URL = "a URL of a host alone, such as https://passrole.example.com or http://10.0.0.20:4566"
NO_PUBLIC_URLS = (
    "passrole.example.com",
    "ftp://passrole.example.com",
    "https://",
    "https://passrole.example.com/",
    "https://passrole.example.com/path",
    "https://passrole.example.com?query",
    "https://ann:secret@passrole.example.com",
    "https://two words",
    "http://10.0.0.20:port",
)


@pytest.mark.parametrize(
    "variable, value, allowed",
    [
        ("LOG_LEVEL", "loud", "debug, info, warning, error or critical"),
        ("LOG_FORMAT", "xml", "text or json"),
        ("LAMBDA_WORKERS_MAX", "0", "a whole number from 1 to 10000"),
        ("LAMBDA_WORKERS_MAX", "many", "a whole number from 1 to 10000"),
        ("LAMBDA_STRICT_RUNTIME", "maybe", "true or false"),
        ("LAMBDA_BOOTSTRAP", "odd", "auto, awslambdaric or own"),
        ("ACCOUNT", "12", "12 digits"),
        ("REGION", "mars", "a region such as us-east-1"),
        ("SPARK_MASTER", "sprk://host:7077", "local[*], local[N], spark://HOST:PORT, yarn or k8s://URL"),
        ("SPARK_MASTER", "spark://host", "local[*], local[N], spark://HOST:PORT, yarn or k8s://URL"),
        ("S3_ENDPOINT", "minio:9000", "a URL such as http://127.0.0.1:9000"),
        *(("PUBLIC_URL", url, PUBLIC_URL) for url in NO_PUBLIC_URLS),
        ("SHARED_PATHS", "here", "absolute paths, separated by colons"),
        ("TRUSTED_PROXIES", "x", "IP networks or addresses, separated by commas"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(
    variable: str, value: str, allowed: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as told:
        load({f"PASSROLE_{variable}": value}, data=tmp_path)
    assert str(told.value) == f"PASSROLE_{variable} is `{value}`; use {allowed}"


def test_a_wrong_value_is_told_with_the_place_where_it_was_set(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("port = 1.5")
    with pytest.raises(ConfigError, match=r"^`port` in `.*/config.toml` is `1.5`; use a whole number from 0"):
        load({}, data=tmp_path)
    with pytest.raises(ConfigError, match=r"^--spark-master is `spork`; use"):
        load({}, spark_master="spork")
    with pytest.raises(ConfigError, match=r"^--image is `x`; use GLOB="):
        load({}, images="x")


def test_a_secret_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('s3_secret_access_key = ["hidden"]')
    with pytest.raises(ConfigError) as told:
        load({}, data=tmp_path)
    assert "hidden" not in str(told.value) and "s3_secret_access_key" in str(told.value)


@pytest.mark.parametrize(
    "variable, meant",
    [
        ("LOG_LEVL", "LOG_LEVEL"),
        ("ACOUNT", "ACCOUNT"),
        ("WORKERS_MAX", "LAMBDA_WORKERS_MAX"),
        ("PORTS", "PORT"),
    ],
)
def test_a_misspelt_variable_is_told_with_the_one_that_is_meant(variable: str, meant: str) -> None:
    with pytest.raises(ConfigError) as told:
        load({f"PASSROLE_{variable}": "1"})
    assert str(told.value) == f"PASSROLE_{variable} is no setting; did you mean PASSROLE_{meant}?"


def test_a_variable_that_is_like_no_setting_is_left_alone(tmp_path: Path) -> None:
    assert load({"PASSROLE_SEED": "1"}, data=tmp_path) == Config(data=tmp_path)


def test_a_misspelt_setting_of_the_file_is_told_with_the_one_that_is_meant(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('log_levl = "info"')
    with pytest.raises(ConfigError, match=r"unknown setting `log_levl`; did you mean `log_level`\?"):
        load({}, data=tmp_path)


@pytest.mark.parametrize(
    "name, given, value",
    [
        ("LOG_LEVEL", "INFO", "info"),
        ("SANDBOX", "None", "none"),
        ("LAMBDA_STRICT_RUNTIME", "on", True),
        ("SPARK_MASTER", "spark://a:7077,b:7077", "spark://a:7077,b:7077"),
        ("SPARK_MASTER", "spark://[::1]:7077", "spark://[::1]:7077"),
        ("SPARK_MASTER", "local[2,3]", "local[2,3]"),
        ("SPARK_MASTER", "k8s://https://host:443", "k8s://https://host:443"),
        ("S3_ENDPOINT", "https://s3.example.com", "https://s3.example.com"),
        ("PUBLIC_URL", "https://passrole.example.com", "https://passrole.example.com"),
        ("PUBLIC_URL", "http://[::1]:4566", "http://[::1]:4566"),
    ],
)
def test_a_value_that_is_allowed_counts(name: str, given: str, value: Any, tmp_path: Path) -> None:
    found = load({f"PASSROLE_{name}": given}, data=tmp_path)
    assert getattr(found, name.lower()) == value
