"""What a hyperparameter tuning job tries next, and when it is over. Pure: it reads no rows, runs no jobs.

    ranges     the values that a hyperparameter may have       request   what a request asks for
    trials     what was tried, and what came of it             plan      what is to be done now
    search     the next values: Random, Grid                   bayesian  the next values, by Optuna
    stopping   trials that are not worth their time

All it needs is in the request and in the trials, so a server that starts again goes on where the last one
ended. https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html
"""

from passrole.tuning.bayesian import SearchMissing
from passrole.tuning.plan import Ending, Plan, not_improving, plan
from passrole.tuning.ranges import InvalidRequest
from passrole.tuning.request import Definition, Tuning, read_request
from passrole.tuning.search import Chosen, next_trials
from passrole.tuning.trials import Trial, best

__all__ = [
    "Chosen",
    "Definition",
    "Ending",
    "InvalidRequest",
    "Plan",
    "SearchMissing",
    "Trial",
    "Tuning",
    "best",
    "next_trials",
    "not_improving",
    "plan",
    "read_request",
]
