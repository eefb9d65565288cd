import pytest


@pytest.fixture(autouse=True)
def _eager(eager):
    """These runs take a few steps; what they check surrounds the steps."""
