"""FilterCriteria of event source mappings: which messages a function gets. Pure.

A message is wanted if one of the patterns matches its record. A body that is a JSON object or array is
matched by its fields, any other as text, so that a pattern of the other kind matches nothing.
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from passrole.patterns import InvalidPattern, Pattern, compile_pattern
from passrole.services.lambda_ import refusals

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FilterCriteriaTypeDef

FILTERS_MAX = 10
PATTERNS_KEPT = 256


def checked(criteria: "FilterCriteriaTypeDef | None") -> list[str]:
    """The patterns of a FilterCriteria; none where it is empty. Raises InvalidParameterValueException."""
    filters = criteria.get("Filters") if criteria else None
    patterns = [each.get("Pattern", "") for each in filters or ()]
    if len(patterns) > FILTERS_MAX:
        raise refusals.invalid(f"A mapping can have {FILTERS_MAX} filters at most.")
    for pattern in patterns:
        try:
            _compiled(pattern)
        except InvalidPattern as error:
            raise refusals.invalid("Invalid filter pattern definition.") from error
    return patterns


def wants(patterns: Sequence[str], record: Mapping[str, Any]) -> bool:
    """Whether a record, in the shape in which the function gets it, matches; without patterns all do."""
    if not patterns:
        return True
    event = {**record, "body": _read(record["body"])}
    return any(_compiled(pattern).matches(event) for pattern in patterns)


@lru_cache(maxsize=PATTERNS_KEPT)
def _compiled(pattern: str) -> Pattern:
    return compile_pattern(pattern)


def _read(body: str) -> Any:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return body
    return found if isinstance(found, dict | list) else body
