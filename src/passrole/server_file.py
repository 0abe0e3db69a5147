"""The file in a data folder that says where its server is, while one runs."""

import json
import os
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

from passrole import private_files
from passrole.config import Config

_WITHOUT_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # our own server is local


def announce(config: Config, proxy_url: str) -> None:
    """Write the file, once calls are accepted."""
    server = {"url": config.endpoint_url, "proxy": proxy_url, "pid": os.getpid()}
    if config.console:
        server["console"] = config.console_url
    if config.only:
        server["only"] = config.only
    if config.s3_endpoint:
        server["s3_endpoint"] = config.s3_endpoint
    private_files.write(_path(config), json.dumps(server).encode())


def withdraw(config: Config) -> None:
    """Remove the file."""
    _path(config).unlink(missing_ok=True)


def url(config: Config) -> str | None:
    """The URL of the data folder's server, if it is running."""
    try:
        found = str(_read(config)["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if answers(found) else None


def answers(url: str) -> bool:
    """Whether a server is ready at the URL, itself or behind a balancer."""
    try:
        with _WITHOUT_PROXY.open(f"{url}/_passrole/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError, HTTPException):
        return False


def proxy(config: Config) -> str | None:
    """The URL of the HTTPS proxy of the data folder's server."""
    return _text(config, "proxy")


def console(config: Config) -> str | None:
    """The URL of the console of the data folder's server; None where it has none."""
    return _text(config, "console")


def only(config: Config) -> str | None:
    """The one service that the data folder's server has; None where it has all, or none runs."""
    return _text(config, "only")


def s3_endpoint(config: Config) -> str | None:
    """Where the data folder's server keeps its objects; None where they are in the folder, or none runs."""
    return _text(config, "s3_endpoint")


def process_id(config: Config) -> int | None:
    """The process of the data folder's server."""
    try:
        return int(_read(config)["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _text(config: Config, member: str) -> str | None:
    try:
        return str(_read(config)[member])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read(config: Config) -> Any:
    return json.loads(_path(config).read_text())


def _path(config: Config) -> Path:
    return config.data / "server.json"
