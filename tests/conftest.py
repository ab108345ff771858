"""The cast: Ada moderator, Ben host of table 1, Cem guest at table 1, Dana guest at table 2, Eve outsider."""

from collections.abc import Iterator
from weakref import WeakSet

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

from sessions import tries
from sessions.limits import Limiter
from sessions.live import pace
from sessions.models import Event, Moderator, Participant
from sessions.phases import Phase
from tables.models import Table
from tests.cast import come_in, new_event, put, sit

DATABASE = {"db", "transactional_db", "django_db_setup"}
OPENED: WeakSet[BaseDatabaseWrapper] = WeakSet()  # by every thread


@receiver(connection_created)
def _remember(connection: BaseDatabaseWrapper, **_sent: object) -> None:
    OPENED.add(connection)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Threads keep their connections open, as they should; before the database is dropped they go."""
    yield
    for opened in list(OPENED):
        if opened is not connections["default"] and opened.connection is not None:
            opened.inc_thread_sharing()
            opened.close()


pytest_plugins = ["tests.cafe", "tests.held", "tests.machine"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What brings its own database or needs none says the same on PostgreSQL as on SQLite: once is enough."""
    for item in items:
        if DATABASE & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("django_db"):
            item.add_marker("database")


@pytest.fixture(autouse=True)
def _nothing_counted_yet() -> None:
    for limiter in vars(tries).values():
        if isinstance(limiter, Limiter):
            limiter.forget()
    for each in vars(pace).values():
        if isinstance(each, pace.Pace):
            each.full_at.clear()


@pytest.fixture
def ada(db: None) -> Moderator:
    ada = Moderator.objects.create(email="ada@zoomcafe.example", name="Ada")
    ada.set_password("the kettle sings at five")
    ada.save(update_fields=["password"])
    return ada


@pytest.fixture
def event(ada: Moderator) -> Event:
    """Smart City in its first session, running."""
    event = new_event(ada)
    put(event, Phase.SEATING, session=1)
    return put(event, Phase.RUNNING, session=1)


@pytest.fixture
def table_1(event: Event) -> Table:
    return event.tables.get(number=1)


@pytest.fixture
def table_2(event: Event) -> Table:
    return event.tables.get(number=2)


@pytest.fixture
def ben(event: Event, table_1: Table) -> Participant:
    ben = come_in(event, "Ben")
    Participant.objects.filter(pk=ben.pk).update(role=Participant.Role.HOST)
    Table.objects.filter(pk=table_1.pk).update(host=ben)
    ben.role = Participant.Role.HOST
    return sit(ben, table_1)


@pytest.fixture
def cem(event: Event, table_1: Table) -> Participant:
    return sit(come_in(event, "Cem"), table_1)


@pytest.fixture
def dana(event: Event, table_2: Table) -> Participant:
    return sit(come_in(event, "Dana"), table_2)


@pytest.fixture
def elsewhere(db: None) -> Event:
    """Somebody else's event, in the same phase."""
    event = new_event(Moderator.objects.named("mallory@elsewhere.example", name="Mallory"), title="Elsewhere")
    return put(event, Phase.RUNNING, session=1)


@pytest.fixture
def eve(elsewhere: Event) -> Participant:
    """A guest in somebody else's event: nobody in ours."""
    return come_in(elsewhere, "Eve")
