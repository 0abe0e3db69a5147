"""How AWS's https names reach a data folder's server, for clients with the user's environment."""

from collections.abc import Mapping
from pathlib import Path

from passrole import app, private_files, server_file
from passrole.config import Config
from passrole.https_names import SDK_SETTINGS, Https
from passrole.runtimes import https_files


def https(config: Config, inherited: Mapping[str, str]) -> Https | None:
    """The proxy and CA bundle with which AWS's https names reach the server; None if no server runs."""
    proxy = server_file.proxy(config)
    if proxy is None:
        return None
    data = config.data.resolve()
    authority = app.authority(config).resolve()
    place = data / "ca-bundle.pem"
    bundle = https_files.bundle(place, authority, inherited, private_files.PUBLIC_MODE)
    return Https(proxy, bundle, authority, _sdk_settings(data, inherited))


def _sdk_settings(data: Path, inherited: Mapping[str, str]) -> Path | None:
    """Our settings, only if the user has none: the SDK reads this file instead of the user's."""
    settings = data / "sagemaker-sdk.yaml"
    overridden = inherited.get(SDK_SETTINGS, str(settings)) != str(settings)
    if overridden or any(file.exists() for file in _sdk_files(inherited)):
        return None
    return https_files.sdk_settings(settings)


def _sdk_files(inherited: Mapping[str, str]) -> tuple[Path, ...]:
    """The SDK's default settings files on Linux and macOS."""
    home = Path.home()
    linux = Path(inherited.get("XDG_CONFIG_HOME") or home / ".config")
    folders = linux / "sagemaker", home / "Library" / "Application Support" / "sagemaker"
    return tuple(folder / "config.yaml" for folder in folders)
