import pytest

from docket_server import Server


@pytest.fixture
def server(tmp_path):
    running = Server(tmp_path / "data").start()
    yield running
    running.stop_everything()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One server for the tests of a file that do not stop it; each uses job ids of its own."""
    running = Server(tmp_path_factory.mktemp("shared") / "data").start()
    yield running
    running.stop_everything()
