"""What the tests of a real worker share."""
import pytest
from fake_broker import FakeBroker


@pytest.fixture
def broker():
    """A fake one, written from PROTOCOL.md; whatever it did not understand fails the test."""
    with_broker = FakeBroker()
    yield with_broker
    with_broker.close()
    assert with_broker.wrong == with_broker.foreign == []
