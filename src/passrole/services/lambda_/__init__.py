"""AWS Lambda: functions from zip archives, run for real by the function runtime.

Handlers, by resource:
- functions.py: create, read, list, delete; function_updates.py: code and configuration
- invoke.py: Invoke; tags.py: tags
- event_configs.py: retries and destinations of asynchronous invocations
- layers.py: layers; layer_permissions.py: their resource-based policies
- mappings.py: event source mappings; permissions.py: resource-based policies

What they rest on:
- records.py: the functions that exist, and how they are shown; names.py: which one a call means
- sources.py: where code comes from; archives.py: zip files, checked before anything touches the disk
- layer_names.py, layer_records.py: layers that exist; attached_layers.py: those of a function, at its /opt
- qualifiers.py: which version a qualifier means; versions.py, aliases.py: their operations
- settings.py, refusals.py: what may be set, and AWS's words
- run_function.py: a function and its role, made into a call of the runtime
- async_invocations.py: those that wait, stored before they are acknowledged; event_config_records.py,
  outcomes.py, destinations.py: retries, results, and where they are sent
- mapping_records.py, sqs_events.py, filters.py: which queue feeds which function, how, in what
  shape, and which messages it wants
- sessions.py, paging.py: roles of functions as callers; pages of lists

Not here: images, event sources other than SQS, function URLs.
"""

from passrole.services.lambda_ import (
    aliases,
    event_configs,
    function_updates,
    functions,
    invoke,
    layer_permissions,
    layers,
    mappings,
    permissions,
    tags,
    versions,
)

__all__ = [
    "aliases",
    "event_configs",
    "function_updates",
    "functions",
    "invoke",
    "layer_permissions",
    "layers",
    "mappings",
    "permissions",
    "tags",
    "versions",
]
