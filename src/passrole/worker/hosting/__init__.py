"""Runs the model servers of endpoints: what is to become of each is in its row (services/sagemaker/hosting).

    controller   compares the rows with the servers that run, starts what is missing, ends what is too much
    instance     one server of a variant, or several where its model has several containers in a row
    chain        asks several containers one after the other

A server is a program that outlives passrole's own server and is found again (runtimes/jobs); how it is
prepared, started and asked is that of batch transform jobs (worker/jobs/serving).
"""

from passrole.worker.hosting.controller import EndpointController
from passrole.worker.hosting.instance import Means

__all__ = ["EndpointController", "Means"]
