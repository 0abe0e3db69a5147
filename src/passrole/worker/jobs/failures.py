"""Why a job fails: FailureReason in AWS's words.

ClientError is the user's error, AlgorithmError the program's, InternalServerError passrole's.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html
"""

from passrole.faults import Fault

LOST = "InternalServerError: We encountered an internal error. Please try again."
BAD_MESSAGE = "ClientError: The message that the program left in /opt/ml/output is not UTF-8"

_SANDBOXES = {1: ("bwrap: ", "unshare: ", "sandbox: "), 125: ("Error: ", "docker: ")}
"""How the line of one that could not be made begins, by its exit code. 125 is an engine's own:
https://docs.docker.com/engine/containers/run/#exit-status
"""

_SERIAL = "the setting `sandbox` is `serial`"


class JobFailed(Exception):
    """The job ends as Failed; the message is its FailureReason."""


def download_failed(fault: Fault) -> JobFailed:
    """S3 refused the download of an input to the job's role."""
    return _data_failed("download", fault)


def upload_failed(fault: Fault) -> JobFailed:
    """S3 refused the upload of an output to the job's role."""
    return _data_failed("upload", fault)


def exited(code: int, message: str | None) -> str:
    """The program failed; `message` is the content of a training program's output/failure.

    A message that begins with ClientError is used unchanged, as AWS's oldest images wrote them:
    https://github.com/aws/amazon-sagemaker-examples/issues/668. The others:
    https://github.com/aws/sagemaker-python-sdk/issues/1442 and issues/357
    """
    if message is not None and message.startswith("ClientError: "):
        return message
    return f"AlgorithmError: {message or ''}, exit code: {code}"


def not_confined(code: int, printed: bytes) -> str | None:
    """The reason where the sandbox and not the program has failed: its one line is all that was printed. Its
    exit code could be a program's.
    """
    line, _, rest = printed.decode(errors="replace").partition("\n")
    if rest or not line.startswith(_SANDBOXES.get(code, ())):
        return None
    return f"InternalServerError: the sandbox of the job could not be made: {line}"


def serial_refusal(instances: int, *, is_isolated: bool) -> str | None:
    """Why a job cannot run where jobs only take turns; None where it can."""
    if instances > 1:
        return f"ClientError: {_SERIAL}, which has room for one instance, and the job asks for {instances}"
    if is_isolated:
        return f"ClientError: {_SERIAL}, which cannot cut off the network: EnableNetworkIsolation is true"
    return None


def _data_failed(what: str, fault: Fault) -> JobFailed:
    if not fault.sender:
        return JobFailed(LOST)
    return JobFailed(f"ClientError: Data {what} failed:{fault.code} ({fault.status or 400}): {fault.message}")
