"""One local oracle for all tests of this folder; each test gives it the settings and empty books that it needs."""

from collections.abc import Iterator

import pytest
from oracle_on_loopback import LocalOracle

from stages.miniature.oracle_server import local_oracle
from stages.miniature.world import Split, training_pairs
from stages.records.pair import PreferencePair


@pytest.fixture(scope="session")
def _server() -> Iterator[str]:
    with local_oracle() as url:
        yield url


@pytest.fixture
def server(_server: str) -> LocalOracle:
    local = LocalOracle(_server)
    local.restart()
    return local


@pytest.fixture(scope="session")
def pairs() -> list[PreferencePair]:
    return training_pairs(Split.TRAIN, 200, seed=7)
