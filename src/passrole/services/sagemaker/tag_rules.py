"""What SageMaker says of tags, for every resource that has some."""

from passrole.faults import Fault
from passrole.services.tags import TAGS_MAX, TagRules


def _too_many(arn: str, count: int) -> Fault:
    message = f"A resource has at most {TAGS_MAX} tags; {arn} would have {count}."
    return Fault("ResourceLimitExceeded", message)


TAGS = TagRules(
    reserved=lambda reason: Fault("ValidationException", reason),
    too_many=_too_many,
    repeated=lambda: Fault("ValidationException", "A tag key is given more than once."),
)
