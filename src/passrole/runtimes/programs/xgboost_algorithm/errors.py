"""Errors by the names that AWS's image gives them: the names end up in the failure file."""

_MODULE = "sagemaker_algorithm_toolkit.exceptions"


class UserError(Exception):
    """What the user can mend."""


class AlgorithmError(Exception):
    """What xgboost made of it."""


UserError.__module__ = AlgorithmError.__module__ = _MODULE
