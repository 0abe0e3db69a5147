"""Fleets: what a configuration says now, with its models and their packages, and how variants are changed."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.sagemaker.hosting.records import (
    DELETING,
    ENDPOINTS,
    FAILED,
    Config,
    Endpoint,
    Fleet,
    Variant,
)
from passrole.services.sagemaker.hosting.variants import check_model
from passrole.services.sagemaker.models import Model, require_model
from passrole.services.sagemaker.registry.names import require_package
from passrole.store import Tx

INSTANCES_MAX = 64
"""Of all endpoints: each is a process of this machine that stays."""

_PACKAGE = "ModelPackageName"


def of_config(tx: Tx, ctx: Context, config: Config, number: int) -> Fleet:
    """The fleet of a configuration. Raises ValidationException for a model or package that is gone."""
    isolated = bool(config.request.get("EnableNetworkIsolation"))
    variants = [_variant(tx, ctx, config, each, is_isolated=isolated) for each in config.variants]
    return {"number": number, "config": config.name, "began": ctx.clock(), "variants": variants}


def retaining(coming: Fleet, present: Fleet, excluded: Collection[str]) -> Fleet:
    """The coming fleet with the weights and counts of the present one, but for the excluded properties."""
    before = {each["name"]: each for each in present["variants"]}
    variants = [_retained(each, before.get(each["name"]), excluded) for each in coming["variants"]]
    return {**coming, "variants": variants}


def scaled(endpoint: Endpoint, wanted: Sequence[Mapping[str, Any]]) -> list[Variant]:
    """The variants of the fleet that serves, with what is wanted of some. Raises ValidationException."""
    assert endpoint.fleet is not None
    named = {each["VariantName"]: each for each in wanted}
    if len(named) < len(wanted):
        raise _invalid("Each variant can be named once.")
    present = {each["name"] for each in endpoint.fleet["variants"]}
    for name in named:
        if name not in present:
            config = endpoint.fleet["config"]
            raise _invalid(
                f'The variant name(s) "{name}" is/are not present within endpoint configuration "{config}".'
            )
    return [_scaled(each, named.get(each["name"], {})) for each in endpoint.fleet["variants"]]


def check_room(tx: Tx, fleet: Fleet, besides: Fleet | None = None) -> None:
    """Refuse a fleet for which there is no room. `besides` is the fleet that it was, and is part of.

    Raises ResourceLimitExceeded in AWS's words.
    """
    used = sum(_instances(each) for _, each in ENDPOINTS.all(tx))
    delta = _count(fleet) - (_count(besides) if besides else 0)
    if delta > 0 and used + delta > INSTANCES_MAX:
        kind = next((each["request"].get("InstanceType") for each in fleet["variants"]), None) or "serverless"
        raise Fault(
            "ResourceLimitExceeded",
            f"The account-level service limit '{kind} for endpoint usage' is {INSTANCES_MAX} Instances, with "
            f"current utilization of {used} Instances and a request delta of {delta} Instances. passrole has "
            "this one limit for all endpoints, whose model servers run on this machine.",
        )


def _variant(
    tx: Tx, ctx: Context, config: Config, request: Mapping[str, Any], *, is_isolated: bool
) -> Variant:
    model = require_model(tx, ctx, request["ModelName"])
    check_model(model)
    weight = float(request.get("InitialVariantWeight", 1.0))
    return {
        "name": request["VariantName"],
        "request": request,
        "model": model.name,
        "containers": _containers(tx, ctx, model),
        "role_arn": model.role_arn or config.role_arn,
        "is_isolated": is_isolated or bool(model.request.get("EnableNetworkIsolation")),
        "weight": weight,
        "weight_wanted": weight,
        "count": 0,
        "count_wanted": request.get("InitialInstanceCount", 1),
    }


def _containers(tx: Tx, ctx: Context, model: Model) -> list[Mapping[str, Any]]:
    """The model's containers; in place of a package's name, what the package has."""
    found: list[Mapping[str, Any]] = []
    for given in model.containers:
        if not given.get(_PACKAGE):
            found.append(given)
            continue
        package = require_package(tx, ctx, given[_PACKAGE])
        own = {name: value for name, value in given.items() if name not in (_PACKAGE, "Environment")}
        for each in package.request["InferenceSpecification"]["Containers"]:
            environment = {**(each.get("Environment") or {}), **(given.get("Environment") or {})}
            found.append({**each, **own, "Environment": environment})
    return found


def _retained(variant: Variant, before: Variant | None, excluded: Collection[str]) -> Variant:
    if before is None:
        return variant
    kept = variant.copy()
    if "DesiredWeight" not in excluded:
        kept["weight"] = kept["weight_wanted"] = before["weight"]
    if "DesiredInstanceCount" not in excluded:
        kept["count_wanted"] = before["count"]
    return kept


def _scaled(variant: Variant, wanted: Mapping[str, Any]) -> Variant:
    changed = variant.copy()
    changed["weight_wanted"] = float(wanted.get("DesiredWeight", variant["weight"]))
    if variant["request"].get("ServerlessConfig"):
        if wanted.get("DesiredInstanceCount") is not None:
            raise _invalid(f"Production variant {variant['name']} is serverless and has no instances.")
        if wanted.get("ServerlessUpdateConfig"):
            raise _invalid("passrole does not support ServerlessUpdateConfig")
        return changed
    count = wanted.get("DesiredInstanceCount", variant["count"])
    if count < 1:
        raise _invalid(f"DesiredInstanceCount of production variant {variant['name']} must be at least 1.")
    changed["count_wanted"] = count
    return changed


def _instances(endpoint: Endpoint) -> int:
    if endpoint.status in (DELETING, FAILED):
        return 0
    return sum(_count(fleet) for fleet in (endpoint.fleet, endpoint.coming) if fleet is not None)


def _count(fleet: Fleet) -> int:
    return sum(max(each["count"], each["count_wanted"]) for each in fleet["variants"])


def _invalid(message: str) -> Fault:
    return Fault("ValidationException", message)
