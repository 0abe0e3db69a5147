"""Credentials of a served model's role, for its program (program_credentials.py issues them)."""

from passrole.services.program_credentials import PATH, Bearer
from passrole.services.sagemaker.hosting.records import ENDPOINTS, Endpoint, Hosted, hosted_of
from passrole.services.service_sessions import SessionRequest, request_for
from passrole.store import Tx

RESOURCE = "endpoint"
_SERVICE, _SESSION = "sagemaker.amazonaws.com", "SageMaker"


def session_request(endpoint: Endpoint, hosted: Hosted) -> SessionRequest | None:
    """The session of the model's role in which SageMaker acts for an instance; None for a model without."""
    role = hosted.variant["role_arn"]
    return None if role is None else request_for(_SERVICE, role, _SESSION, endpoint.arn)


def owner(hosted: Hosted, container: int, folder: str) -> str:
    """A container of an instance, by its number: the last part of its address. Several servers have one each,
    with their `folder` in its name (store/share.py).
    """
    return f"{hosted.id}-{container}.{folder}" if folder else f"{hosted.id}-{container}"


def address(endpoint: Endpoint, owner: str) -> str:
    """Where a program asks, behind the server's URL."""
    return f"{PATH}{RESOURCE}/{endpoint.key}/{owner}"


def bearer(tx: Tx, key: str, owner: str) -> Bearer | None:
    """See FindBearer."""
    endpoint = ENDPOINTS.get(tx, key)
    if endpoint is None or owner not in endpoint.tokens:
        return None
    for fleet in (endpoint.fleet, endpoint.coming):
        for hosted in hosted_of(endpoint, fleet) if fleet else ():
            session = session_request(endpoint, hosted)
            if hosted.id == owner.rpartition("-")[0] and session is not None:
                return Bearer(endpoint.tokens[owner], session)
    return None
