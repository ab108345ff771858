"""Many rows of one model read or written by one statement; its text hangs on how many only where SQLite takes new ones,
which come in pieces.

On the way of a note the ORM costs more than everything else together: `bulk_update` builds an expression for each row,
and each query is compiled anew. Whoever is on the way of many reads here; only `streams.apply` writes live rows.

SQLite's driver lets go of Python's lock for each row that it reads and for each that `executemany` writes, and gets it
back from a busy loop only after a while: there all rows of a statement are read and changed as one JSON text, and new
ones are as many values of one statement.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.base import ModelState

from sessions.live import statement, wording
from sessions.live.compact import compact
from sessions.live.fields import WrittenUUID
from sessions.live.wording import Lock, Model

Row = TypeVar("Row", bound=models.Model)
STORED_AS_IS = (
    *(models.AutoField, models.BooleanField, models.CharField),
    *(models.ForeignKey, models.IntegerField, models.TextField),
)
READABLE = (*STORED_AS_IS, models.UUIDField, models.DateTimeField)
MEANT: dict[str, dict[type, Callable[[Any], Any]]] = {  # what their JSON has not
    "sqlite": {
        models.BooleanField: bool,
        models.UUIDField: UUID,
        models.DateTimeField: lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
    },
    "postgresql": {models.UUIDField: UUID, models.DateTimeField: datetime.fromisoformat},
}


UUIDS = {UUID, WrittenUUID}
PIECES = (128, 64, 32)  # rows; fewer are written by one statement
MOST_MARKS = 3_000 if sqlite3.sqlite_version_info >= (3, 32) else 999  # in one statement

_read = json.JSONDecoder().raw_decode


def find(
    model: Model, names: Sequence[str], among: Mapping[str, Collection[Any]], *, where: str = "", lock: Lock = ""
) -> list[Sequence[Any]]:
    """The values of these fields in all rows whose fields are `among` the given ones. `participant__name` is
    read from the row that a key leads to, and `devices__digest` is among those of rows whose key leads here.

    `where` is a further condition in SQL. `lock` holds the rows in the order of their keys, as SQLite does by itself;
    with "skip" those that another connection holds are left out.
    """
    if not all(among.values()):
        return []
    keys = [_keys(values) for values in among.values()]
    return _fetch(
        wording.select(_vendor(), model, tuple(names), tuple(among), where, lock, one=False), keys, model, names
    )


class Wish(NamedTuple):
    """What `find` is asked for."""

    model: Model
    names: tuple[str, ...]
    among: Mapping[str, Collection[Any]]
    where: str = ""

    def select(self, vendor: str) -> str:
        return wording.select(vendor, self.model, self.names, tuple(self.among), self.where, "", one=True)


def gather(*wishes: Wish) -> list[list[Sequence[Any]]]:
    """The values for all of these, read in one statement: as of one moment, and for the price of one."""
    vendor = _vendor()
    keys = [_keys(values) for wish in wishes for values in wish.among.values()]
    texts = statement.answer(
        f"SELECT {', '.join([f'({wish.select(vendor)})' for wish in wishes])}", keys, statement.first
    )
    return [_as_meant(wish.model, wish.names, text) for wish, text in zip(wishes, texts, strict=True)]


def objects(model: type[Row], names: Sequence[str], found: Iterable[Sequence[Any]]) -> list[Row]:
    """Values of these fields as objects of the model, whose other fields are deferred."""
    attributes = [column.attname for column in wording.columns_of(model, tuple(names))]
    return [_stored(model, attributes, values) for values in found]


def newer(model: Model, names: Sequence[str], of: str, after: Mapping[int, int], *, joined: str) -> list[Sequence[Any]]:
    """The values of these fields in all rows that have risen: whose seq is above what `after` has for their `of`.

    The last value is the `name` of whom the key `joined` leads to, null where it leads to nobody.
    """
    keys = [compact(after)] if _vendor() == "sqlite" else [_array_of(after), _array_of(after.values())]
    return _fetch(wording.newer(_vendor(), model, tuple(names), of, joined), keys, model, names)


def _fetch(sql: str, keys: Sequence[Any], model: Model, names: Sequence[str]) -> list[Sequence[Any]]:
    """SQLite knows neither truths nor UUIDs nor moments."""
    if _vendor() != "sqlite":
        return cast("list[Sequence[Any]]", statement.answer(sql, keys, statement.every))
    return _as_meant(model, tuple(names), statement.answer(sql, keys, statement.only))


def _as_meant(model: Model, names: tuple[str, ...], text: str | None) -> list[Sequence[Any]]:
    """The rows of one text. JSON has neither UUIDs nor moments, SQLite no truths."""
    found: list[list[Any]] = _read(text or "[]")[0]
    for at, meant in _meant(_vendor(), model, names):
        for row in found:
            if row[at] is not None:
                row[at] = meant(row[at])
    return cast("list[Sequence[Any]]", found)


def load(
    model: type[Row], names: Sequence[str], among: Mapping[str, Collection[Any]], *, where: str = "", lock: Lock = ""
) -> list[Row]:
    """The same as objects of the model, whose other fields are deferred."""
    return objects(model, names, find(model, names, among, where=where, lock=lock))


def _stored(model: type[Row], attributes: Sequence[str], values: Sequence[Any]) -> Row:
    """As `from_db` of the model; its constructor takes ten times as long."""
    row = model.__new__(model)
    state = row._state = ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    row.__dict__.update(zip(attributes, values, strict=True))
    return row


def new(model: type[Row], **values: Any) -> Row:
    """A row to insert, as the constructor makes it of these attributes."""
    row = model.__new__(model)
    row.__dict__.update(wording.blank(model), _state=ModelState(), **values)
    return row


def whole(model: type[Row], among: Mapping[str, Collection[Any]]) -> list[Row]:
    """The same with all fields."""
    return load(model, readable(model), among)


def attach(owners: Iterable[models.Model], name: str, related: Iterable[models.Model], *, by: str) -> None:
    """Gives each owner its rows, those whose attribute `by` is its key, as `prefetch_related(name)` would."""
    of: dict[Any, list[models.Model]] = defaultdict(list)
    for row in related:
        of[row.__dict__[by]].append(row)
    for owner in owners:
        known: Any = models.QuerySet(cast("Model", owner._meta.get_field(name).related_model))
        known._result_cache, known._prefetch_done = of[owner.pk], True
        cast("Any", owner)._prefetched_objects_cache = {name: known}


def add(row: Row) -> Row:
    """A new row that no stream governs, with the key that the database gives it."""
    sql = wording.insert(_vendor(), type(row))
    columns = _columns(type(row), (), [row])
    if _vendor() == "sqlite":
        row.pk = statement.answer(sql, [value for (value,) in columns], statement.key)
    else:
        tells = f" RETURNING {wording.quoted(type(row)._meta.pk.column)}"
        row.pk = statement.answer(sql + tells, [_array_of(each) for each in columns], statement.only)
    row._state.adding = False
    return row


class Write(NamedTuple):
    """A statement that writes rows of a model, and what it is given."""

    model: Model
    sql: str
    parameters: Sequence[Any]


def write(writes: Sequence[Write]) -> None:
    """Carries them out, in their order where two are about one model: one row may take what another gives up.

    Others go to PostgreSQL as one statement: once there and back, and Python's lock is handed over once.
    """
    if _vendor() != "sqlite" and 1 < len(writes) == len({each.model for each in writes}):
        *others, last = writes
        named = ", ".join([f"other{at} AS ({other.sql})" for at, other in enumerate(others)])
        parameters = [*chain.from_iterable([each.parameters for each in writes])]
        writes = [Write(last.model, f"WITH {named} {last.sql}", parameters)]
    for each in writes:
        statement.answer(each.sql, each.parameters, bool)


class Values(NamedTuple):
    """New rows of a model without objects: a tuple of these attributes for each, and `common` ones; as the database
    takes them. What is in neither is what a new row has.
    """

    model: Model
    names: tuple[str, ...]
    rows: Collection[tuple[Any, ...]]
    common: Mapping[str, Any]


def insert(rows: Collection[models.Model]) -> list[Write]:
    """New rows of one model, if there are any. Keys that the database makes are not told."""
    if not rows:
        return []
    model = type(next(iter(rows)))
    return _insert(model, (), [*zip(*_columns(model, (), rows), strict=True)])


def insert_values(new: Values) -> list[Write]:
    common = tuple(new.common.values())
    return _insert(new.model, (*new.names, *new.common), [values + common for values in new.rows])


def _insert(model: Model, given: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> list[Write]:
    """As `wording.insert` takes them."""
    if _vendor() != "sqlite":
        columns = zip(*rows, strict=True)
        return [Write(model, wording.insert(_vendor(), model, given=given), [_array_of(each) for each in columns])]
    at, writes = 0, []
    for piece in _pieces(len(rows), MOST_MARKS // len(rows[0])):
        these = [*chain.from_iterable(rows[at : at + piece])]
        writes.append(Write(model, wording.insert(_vendor(), model, piece, given), these))
        at += piece
    return writes


def _pieces(count: int, most: int) -> Iterator[int]:
    """How many rows each statement writes. Few numbers, for the driver keeps a hundred statements that SQLite has
    read: of one with many values that is a third of the work.
    """
    for piece in [each for each in PIECES if each <= most] or [most]:
        while count >= piece:
            yield piece
            count -= piece
    if count:
        yield count


def update(names: Sequence[str], rows: Collection[models.Model]) -> list[Write]:
    """The same fields of rows of one model, all of them locked by what governs them, if there are any."""
    if not rows:
        return []
    model = type(next(iter(rows)))
    sql, _those = wording.update(_vendor(), model, tuple(names))
    return [Write(model, sql, _as_source(_columns(model, tuple(names), rows)))]


def count_on(model: Model, more: Mapping[tuple[int, ...], int]) -> list[Write]:
    """Adds to the number that the model keeps for each of these keys, or begins with it."""
    columns = [*zip(*more, strict=True), tuple(more.values())]
    return [Write(model, wording.count_on(_vendor(), model), _as_source(columns))]


def _columns(model: Model, names: tuple[str, ...], rows: Collection[models.Model]) -> list[Sequence[Any]]:
    """Of an update of these fields, or of new rows (no names), as the database takes them: one for each field."""
    attributes, prepared = _written(model, names)
    columns: list[Sequence[Any]] = [*zip(*[attributes(row.__dict__) for row in rows], strict=True)]
    for at, prepare in prepared:
        columns[at] = prepare(columns[at])
    return columns


def _as_source(columns: Sequence[Sequence[Any]]) -> list[str]:
    """What `wording.rows` takes."""
    if _vendor() == "sqlite":
        return [compact([*zip(*columns, strict=True)])]
    return [_array_of(column) for column in columns]


@cache
def _written(
    model: Model, names: tuple[str, ...]
) -> tuple[Callable[[Any], Any], list[tuple[int, Callable[[Any], Any]]]]:
    """What takes the values from a row's attributes, and which of them the database takes in another form."""
    columns = wording.update(_vendor(), model, names)[1] if names else wording.inserted(model)
    others = [(at, column) for at, column in enumerate(columns) if not isinstance(column, STORED_AS_IS)]
    return itemgetter(*(column.attname for column in columns)), [(at, _preparing(column)) for at, column in others]


def _preparing(column: wording.Column) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """What makes the database's values of a row's."""
    if isinstance(column, models.UUIDField):  # as both databases take one in the texts that we make
        return lambda values: [None if value is None else value.hex for value in values]
    return lambda values: [column.get_db_prep_save(value, connection) for value in values]


@cache
def _vendor() -> str:
    """Asked for each statement; `connection` would look for this thread's own every time."""
    return connection.vendor


@cache
def readable(model: Model) -> tuple[str, ...]:
    """All fields that are read here."""
    return tuple(column.name for column in model._meta.concrete_fields if isinstance(column, READABLE))


@cache
def _meant(vendor: str, model: Model, names: tuple[str, ...]) -> list[tuple[int, Callable[[Any], Any]]]:
    """Where the database's JSON tells something else than Python means."""
    kinds = [type(wording.column_at(model, name)) for name in names]
    return [(at, MEANT[vendor][kind]) for at, kind in enumerate(kinds) if kind in MEANT[vendor]]


def _keys(values: Collection[Any]) -> Any:
    if _vendor() != "sqlite":
        return _array_of(values)
    return compact([value.hex if isinstance(value, UUID) else value for value in values])


def _array_of(values: Collection[Any]) -> str:
    """As PostgreSQL writes an array; psycopg takes three times as long to find out what is in a list."""
    kinds = set(map(type, values))
    if kinds == {int}:
        return f"{{{','.join(map(str, values))}}}"
    if kinds == {str} and (joined := "\0".join(values)).count("\0") == len(values) - 1:
        escaped = joined.replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","')
        return f'{{"{escaped}"}}'
    if kinds <= UUIDS:
        return f"{{{','.join([value.hex for value in values])}}}"
    return f"{{{','.join([_element(value) for value in values])}}}"


def _element(value: Any) -> str:
    if isinstance(value, UUID):
        return value.hex
    if type(value) is str:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return "NULL" if value is None else str(value)
