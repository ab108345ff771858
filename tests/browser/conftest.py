from collections.abc import Iterator

import pytest

from tests.browser.house import House, People, people


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("house"))
    house.start()
    yield house
    house.stop()


@pytest.fixture
def visitors(chromium: str, house: House) -> Iterator[People]:
    with people(chromium, house.url) as found:
        yield found
