"""Commands are tested with the settings that each test gives them."""

import pytest


@pytest.fixture(autouse=True)
def environment() -> None:
    """As it is."""
