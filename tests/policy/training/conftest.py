"""The small project of the training stages, for policies that start from its base and are judged by it."""

from tests.training.conftest import project

__all__ = ["project"]
