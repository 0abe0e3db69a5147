"""Amazon ECR as far as clients ask for images: there are no repositories here, and no token opens any.

Handlers:
- repositories.py: the token, and what is said of repositories and images

Which images jobs and functions run is in `runtimes/images.py`: of most, their name is all that is needed.
"""

from passrole.services.ecr import repositories

__all__ = ["repositories"]
