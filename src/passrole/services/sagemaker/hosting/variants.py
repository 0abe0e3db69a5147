"""The variants of a configuration: which of AWS's are served here, and what is wrong with the others.

Refused by name is what would have to be pretended: inferences by request instead of at once, captured data,
shadows, explanations, several models behind one server, models that come later as inference components.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html
"""

from collections.abc import Mapping
from typing import Any

from passrole.faults import Fault
from passrole.services.sagemaker.models import Model

_REFUSED = ("AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants")
_REFUSED_OF_A_VARIANT = (
    *("InstancePools", "ManagedInstanceScaling", "CapacityReservationConfig", "CoreDumpConfig"),
)
_OF_INSTANCES = ("InstanceType", "InitialInstanceCount")


def check(request: Mapping[str, Any]) -> None:
    """Look at CreateEndpointConfig's request. Raises ValidationException."""
    for member in _REFUSED:
        if request.get(member):
            raise _unsupported(member)
    if (request.get("DataCaptureConfig") or {}).get("EnableCapture"):
        raise _unsupported("DataCaptureConfig with EnableCapture")
    names = [each["VariantName"] for each in request["ProductionVariants"]]
    if len(set(names)) < len(names):
        raise _invalid("The VariantName of each production variant must be unique.")
    for each in request["ProductionVariants"]:
        _check_variant(each)


def check_model(model: Model) -> None:
    """Look at a model that is to be served. Raises ValidationException."""
    for container in model.containers:
        if container.get("Mode") == "MultiModel" or container.get("MultiModelConfig"):
            raise _unsupported("endpoints of models with Mode MultiModel")
    if (model.request.get("InferenceExecutionConfig") or {}).get("Mode") == "Direct":
        raise _unsupported("endpoints of models with InferenceExecutionConfig Mode Direct")


def _check_variant(variant: Mapping[str, Any]) -> None:
    name = variant["VariantName"]
    for member in _REFUSED_OF_A_VARIANT:
        if variant.get(member):
            raise _unsupported(member)
    if variant.get("EnableSSMAccess"):
        raise _unsupported("EnableSSMAccess")
    if not variant.get("ModelName"):
        raise _unsupported(f"inference components, and production variant {name} has no ModelName")
    given = [member for member in _OF_INSTANCES if variant.get(member)]
    if variant.get("ServerlessConfig"):
        _check_serverless(variant, given)
    elif len(given) < len(_OF_INSTANCES):
        raise _invalid(
            f"Production variant {name} needs InstanceType and InitialInstanceCount, or ServerlessConfig."
        )


def _check_serverless(variant: Mapping[str, Any], given: list[str]) -> None:
    name, asked = variant["VariantName"], variant["ServerlessConfig"]
    if given:
        raise _invalid(f"Production variant {name} has ServerlessConfig, and {given[0]} too.")
    if asked.get("ProvisionedConcurrency", 0) > asked["MaxConcurrency"]:
        raise _invalid(
            f"ProvisionedConcurrency of production variant {name} must not exceed its MaxConcurrency."
        )


def _unsupported(what: str) -> Fault:
    return Fault("ValidationException", f"passrole does not support {what}")


def _invalid(message: str) -> Fault:
    return Fault("ValidationException", message)
