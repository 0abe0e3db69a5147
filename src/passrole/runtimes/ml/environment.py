"""The environment of a job's program: only the variables of AWS and of the request, nothing inherited."""

from collections.abc import Mapping
from dataclasses import dataclass

from passrole.https_names import Https
from passrole.runtimes.interface import Credentials


@dataclass(frozen=True)
class RenewedCredentials:
    """Where a program gets its role's credentials, again and again, and the token for that.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
    """

    uri: str
    token: str


@dataclass(frozen=True)
class Access:
    """How a job calls AWS: the gateway's URL, its role's credentials, and how AWS's https names lead there.
    Without a network it has neither of the latter.
    """

    region: str
    endpoint_url: str
    credentials: Credentials | RenewedCredentials | None
    https: Https | None = None


def training(name: str, arn: str, given: Mapping[str, str], path: str, access: Access) -> dict[str, str]:
    """The environment of a training job. The training toolkit sets the SM_* variables, not the platform.

    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
    """
    return {**_common(path, access, given), **given, "TRAINING_JOB_NAME": name, "TRAINING_JOB_ARN": arn}


def processing(given: Mapping[str, str], path: str, access: Access) -> dict[str, str]:
    """The environment of a processing job; its name and ARN are only in its configuration file."""
    return {**_common(path, access, given), **given}


def serving(
    given: Mapping[str, str], of_platform: Mapping[str, str], path: str, access: Access
) -> dict[str, str]:
    """The environment of a model's server; what a batch adds is `of_platform`."""
    return {**_common(path, access, given), **given, **of_platform}


def _common(path: str, access: Access, given: Mapping[str, str]) -> dict[str, str]:
    return {
        "PATH": path,
        "LANG": "C.UTF-8",
        "HOME": "/tmp",  # noqa: S108 (the sandbox's own)
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": access.region,
        "AWS_DEFAULT_REGION": access.region,
        "AWS_ENDPOINT_URL": access.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        **of_credentials(access.credentials),
        **_https(access.https, given),
    }


def of_credentials(given: Credentials | RenewedCredentials | None) -> dict[str, str]:
    """The variables by which SDKs find credentials."""
    match given:
        case None:
            return {}
        case RenewedCredentials(uri, token):
            return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": uri, "AWS_CONTAINER_AUTHORIZATION_TOKEN": token}
        case Credentials():
            return {
                "AWS_ACCESS_KEY_ID": given.access_key,
                "AWS_SECRET_ACCESS_KEY": given.secret_key,
                "AWS_SESSION_TOKEN": given.session_token,
            }


def _https(https: Https | None, given: Mapping[str, str]) -> dict[str, str]:
    """Without a variable that the request gives in the other case of letters: programs read either."""
    if https is None:
        return {}
    own = {name.lower() for name in given}
    return {name: value for name, value in https.variables({}).items() if name.lower() not in own}
