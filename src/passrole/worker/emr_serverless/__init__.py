"""What runs the job runs of EMR Serverless.

- controller.py: compares their rows with the programs that run, and starts what is missing
- program.py: the program of one attempt, as the job run's own role
- logs.py: what it wrote, brought to S3 and CloudWatch Logs
"""

from passrole.worker.emr_serverless.controller import CLAIMS, JobRunController

__all__ = ["CLAIMS", "JobRunController"]
