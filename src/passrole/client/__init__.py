"""A library for whoever uses a data folder's server: the command line, a console, a test plugin.

- `connection`: clients of a server, called as its administrator
- `server_process`: a server that is started for as long as it is needed
- `environment`, `ca_bundle`: the variables and files that lead AWS's clients to a server
- `packaging`, `deployment`: functions and pipelines put in place
- `plan`: all steps of a pipeline in the order of its graph, also those that have not started
- `progress`, `step_logs`, `callbacks`: what an execution does, what its steps wrote, who waits for an answer
- `jobs`, `job_log`: how far the job of a step is, and what it printed; `step_cache`: why a step ran

It prints nothing, reads no terminal and handles no signal: it takes callbacks, and raises what errors.py has
or botocore's ClientError. It stands above `app`, which alone knows where the server of a folder is.

Its modules are imported one by one, because most need botocore, which takes a while.
"""

from passrole.client.errors import InvalidInput, ServerUnavailable

__all__ = ["InvalidInput", "ServerUnavailable"]
