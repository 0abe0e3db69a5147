"""The global condition keys and the types of their values.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from collections.abc import Mapping
from typing import Final

_SINGLE: Final = (
    *("aws:AssumedRoot", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:ChatbotSourceArn"),
    *("aws:CurrentTime", "aws:Ec2InstanceSourcePrivateIPv4", "aws:Ec2InstanceSourceVpc", "aws:EpochTime"),
    *("aws:FederatedProvider", "aws:IsMcpServiceAction", "aws:MultiFactorAuthAge"),
    *("aws:MultiFactorAuthPresent", "aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalIsAWSService"),
    *("aws:PrincipalOrgID", "aws:PrincipalServiceName", "aws:PrincipalType", "aws:Referer", "aws:referer"),
    *("aws:RequestedRegion", "aws:ResourceAccount", "aws:ResourceOrgID", "aws:SecureTransport"),
    *("aws:SignInSessionArn", "aws:SourceAccount", "aws:SourceArn", "aws:SourceIdentity", "aws:SourceIp"),
    *("aws:SourceOrgID", "aws:SourceOwner", "aws:SourceVpc", "aws:SourceVpcArn", "aws:SourceVpce"),
    *("aws:TokenIssueTime", "aws:UserAgent", "aws:userid", "aws:username", "aws:ViaAWSMCPService"),
    *("aws:ViaAWSService", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpcSourceIp", "aws:CalledViaAWSMCP"),
)
_MANY: Final = (
    *("aws:CalledVia", "aws:PrincipalOrgPaths", "aws:PrincipalServiceNamesList", "aws:ResourceOrgPaths"),
    *("aws:SourceOrgPaths", "aws:TagKeys", "aws:VpceOrgPaths"),
)

GLOBAL_KEYS: Final[Mapping[str, str]] = {key.lower(): key for key in (*_SINGLE, *_MANY)}
"""By name in lower case; keys of tags (`TAGGED_KEYS`) are not included."""

MULTIVALUED_KEYS: Final = frozenset(key.lower() for key in _MANY)
TAGGED_KEYS: Final = frozenset({"aws:requesttag", "aws:resourcetag", "aws:principaltag"})
DATE_KEYS: Final = frozenset({"aws:currenttime", "aws:epochtime", "aws:tokenissuetime"})
ADDRESS_KEYS: Final = frozenset({"aws:sourceip", "aws:vpcsourceip", "aws:ec2instancesourceprivateipv4"})

ALWAYS_THERE: Final = frozenset(
    {
        *("aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:userid"),
        *("aws:currenttime", "aws:epochtime", "aws:securetransport", "aws:requestedregion"),
        *("aws:principalisawsservice", "aws:viaawsservice"),
    }
)
"""The keys that every signed request has."""
