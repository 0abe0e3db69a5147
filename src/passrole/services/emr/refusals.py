"""The errors of EMR in its own words; handlers raise them from here.

Only InvalidRequestException is in EMR's description; ValidationException is what it really answers where a
job flow is meant (seen with Terraform, mrjob and the SDKs).
"""

from passrole.faults import Fault


def invalid(message: str) -> Fault:
    """A value that this service does not take."""
    return Fault("ValidationException", message)


def invalid_request(message: str, error_code: str = "InvalidRequest") -> Fault:
    """The same for the newer operations; `error_code` is the exception's member ErrorCode.

    NoSuchCluster and the code for instance fleets were seen on AWS; the others are chosen.
    """
    return Fault("InvalidRequestException", message, members={"ErrorCode": error_code})


def no_job_flow() -> Fault:
    """AddJobFlowSteps, TerminateJobFlows, SetTerminationProtection: there is no such cluster."""
    return invalid("Specified job flow ID not valid.")


def no_cluster(cluster_id: str) -> Fault:
    """Describe and list: there is no such cluster."""
    return invalid_request(f"Cluster id '{cluster_id}' is not valid.", "NoSuchCluster")


def no_step(step_id: str) -> Fault:
    """The cluster has no such step."""
    return invalid_request(f"Step id '{step_id}' is not valid.", "NoSuchStep")


def over() -> Fault:
    """The cluster takes no changes any more."""
    return invalid("A job flow that is shutting down, terminated, or finished may not be modified.")


def protected() -> Fault:
    """Somebody set termination protection."""
    return invalid("Could not shut down one or more job flows since they are termination protected.")


def has_fleets() -> Fault:
    """ListInstanceGroups of a cluster that has fleets."""
    return invalid_request(
        "Instance fleets and instance groups are mutually exclusive. The EMR cluster specified in the request"
        " uses instance fleets. The ListInstanceGroups operation does not support clusters that use instance"
        " fleets. Use the ListInstanceFleets operation instead.",
        "API_DOES_NOT_SUPPORT_INSTANCE_FLEET_CLUSTERS",
    )


def bad_marker(marker: str) -> Fault:
    """Not a marker that a list gave out."""
    return invalid_request(f"Marker '{marker}' is not valid.")
