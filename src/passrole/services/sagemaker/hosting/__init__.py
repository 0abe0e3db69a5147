"""Hosting: configurations of endpoints, the endpoints that serve their models, and their invocations.

- a configuration names models and says how much each of them gets (configs.py, variants.py)
- an endpoint has a fleet that serves, and while it is created or updated another one that is to serve
  (records.py); how it changes from one to the other, and the events of that (states.py)
- endpoints.py has the operations, invoke_endpoint.py the one of SageMaker's runtime, a service of its own
- `worker/hosting` starts and ends the model servers
"""

from passrole.services.sagemaker.hosting import configs, endpoints

__all__ = ["configs", "endpoints"]
