from collections.abc import Iterator

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.everywhere import Everywhere
from tests.browser.house import FLAGS, House, People, people
from tests.browser.outage import Outage, another_event, outage_in


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("house"))
    house.start()
    yield house
    house.stop()


@pytest.fixture(scope="module")
def lasting(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    """A house behind a wire, for all tests of a module."""
    with outage_in(tmp_path_factory.mktemp("outage"), chromium) as found:
        yield found


@pytest.fixture
def outage(lasting: Outage) -> Outage:
    """A running session of an event of its own."""
    return another_event(lasting)


@pytest.fixture
def visitors(chromium: str, house: House) -> Iterator[People]:
    with people(chromium, house.url) as found:
        yield found


@pytest.fixture(scope="module")
def everywhere(chromium: str, house: House) -> Iterator[Everywhere]:
    """The house with its scenes, in English."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield Everywhere(house, browser, "en")
        browser.close()
