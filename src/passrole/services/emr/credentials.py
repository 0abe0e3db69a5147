"""Who may ask for the credentials of a step's role: its program, while the step runs.

On AWS they come from the instance, or, for a role of the step's own, from EMR; both renew them.
https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-steps-runtime-roles.html
"""

from passrole import arns
from passrole.policy.request import service_principal
from passrole.services.emr.records import CLUSTERS, STEP_OVER, STEPS, Cluster, EmrStep
from passrole.services.program_credentials import Bearer, hash_of
from passrole.services.service_sessions import SessionRequest
from passrole.store import Tx

RESOURCE = "emr-step"
_EC2 = "ec2.amazonaws.com"


def session_request(cluster: Cluster) -> SessionRequest:
    """The session of the instances' role: EC2 acts for the instance that its credentials are delivered to."""
    instance = arns.instance(cluster.region, cluster.account, cluster.instance)
    ec2 = service_principal(_EC2, cluster.account, source=instance)
    return SessionRequest(cluster.instance_role, cluster.instance, ec2, cluster.region)


def place(step: EmrStep) -> str:
    """A step's program, as the last part of its address."""
    return f"{RESOURCE}/{step.cluster}/{step.number}"


def bearer(tx: Tx, key: str, number: str) -> Bearer | None:
    """See FindBearer."""
    cluster = CLUSTERS.get(tx, key)
    step = STEPS.get(tx, STEPS.child(key, number.zfill(6)))
    if cluster is None or step is None or step.state in STEP_OVER or not step.token:
        return None
    return Bearer(hash_of(step.token), session_request(cluster), step.role)
