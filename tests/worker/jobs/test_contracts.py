"""Every kind of job that can be created is one that can be run."""

from passrole.services.sagemaker.jobs.kinds import KINDS, TUNING
from passrole.worker.jobs.contracts import CONTRACTS


def test_every_kind_has_a_contract() -> None:
    assert CONTRACTS.keys() == KINDS.keys() - {
        TUNING.resource
    }  # which has no program: its training jobs have
