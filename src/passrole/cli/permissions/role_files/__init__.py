"""Roles and policies as people have them: AWS's answers, CloudFormation and CDK templates, Terraform's JSON.

It judges nothing: `described.py` has what a file tells of a role, `forms.py` the forms in the order in which
they are recognised, and `choice.py` what is taken of a file that has several roles.
"""

from passrole.cli.permissions.role_files.choice import Permissions, boundary_in, permissions_in, trust_in

__all__ = ["Permissions", "boundary_in", "permissions_in", "trust_in"]
