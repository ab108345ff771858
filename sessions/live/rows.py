"""Many rows of one model read or written by one statement whose text does not depend on how many they are.

On the way of a note the ORM costs more than everything else together: `bulk_update` builds an expression for each row,
and each query is compiled anew. Whoever is on the way of many reads here; only `streams.apply` writes live rows.

SQLite's driver lets go of Python's lock for each row that it reads or writes, and gets it back from a busy loop only
after a while: there all rows of a statement travel as one JSON text.
"""

# ruff: noqa: S608 - the names in these statements are those of our own models

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from operator import itemgetter
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar, cast
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.base import ModelState

from sessions.live import statement
from sessions.live.compact import compact

Column: TypeAlias = "models.Field[Any, Any]"
Row = TypeVar("Row", bound=models.Model)
Model = type[models.Model]
Lock = Literal["", "wait", "skip"]
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
NEWER = {  # keys with a number each, and how these are called
    "sqlite": ("json_each(%s) AS wanted", "CAST(wanted.key AS INTEGER)", "wanted.value"),
    "postgresql": ("unnest(%s::bigint[], %s::bigint[]) AS wanted (of, seq)", "wanted.of", "wanted.seq"),
}


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
    return _fetch(_select(_vendor(), model, tuple(names), tuple(among), where, lock, one=False), keys, model, names)


class Wish(NamedTuple):
    """What `find` is asked for; with `counted` what `count` is, of the one name and the one field it is among."""

    model: Model
    names: tuple[str, ...]
    among: Mapping[str, Collection[Any]]
    where: str = ""
    counted: bool = False

    def select(self, vendor: str) -> str:
        if self.counted:
            return _count(vendor, self.model, self.names[0], self.where, one=True)
        return _select(vendor, self.model, self.names, tuple(self.among), self.where, "", one=True)


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
    attributes = [column.attname for column in _columns_of(model, tuple(names))]
    return [_stored(model, attributes, values) for values in found]


def newer(model: Model, names: Sequence[str], of: str, after: Mapping[int, int], *, joined: str) -> list[Sequence[Any]]:
    """The values of these fields in all rows that have risen: whose seq is above what `after` has for their `of`.

    The last value is the `name` of whom the key `joined` leads to, null where it leads to nobody.
    """
    keys = [compact(after)] if _vendor() == "sqlite" else [_array_of(after), _array_of(after.values())]
    return _fetch(_newer(_vendor(), model, tuple(names), of, joined), keys, model, names)


def count(model: Model, by: str, among: Collection[int], *, where: str) -> dict[int, int]:
    """How many rows there are for each of these keys in `by`; none is not told. `where` is a condition in SQL."""
    found = _fetch(_count(_vendor(), model, by, where, one=False), [_keys(among)], model, (by,))
    return dict(cast("list[tuple[int, int]]", found))


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


def new(model: type[Row], known: Mapping[str, models.Model] | None = None, /, **values: Any) -> Row:
    """A row to insert, as the constructor makes it of these attributes; `known` are rows that its keys lead to."""
    row = model.__new__(model)
    state = row._state = ModelState()
    row.__dict__.update(_blank(model), **values)
    for name, other in (known or {}).items():
        state.fields_cache[name], state.db = other, other._state.db
        row.__dict__[f"{name}_id"] = other.pk
    return row


@cache
def _blank(model: Model) -> dict[str, Any]:
    """What an attribute is that is not given."""
    callables = [
        column.name for column in model._meta.concrete_fields if column.has_default() and callable(column.default)
    ]
    assert not callables, f"{callables} of {model} would be shared by all rows"
    return {column.attname: column.get_default() for column in model._meta.concrete_fields}


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
    sql, columns = _insert(_vendor(), type(row))
    tells = "" if _vendor() == "sqlite" else f" RETURNING {_quoted(type(row)._meta.pk.column)}"
    row.pk = statement.answer(sql + tells, _parameters(columns, [row]), statement.only if tells else statement.key)
    row._state.adding = False
    return row


def insert(rows: Collection[models.Model]) -> None:
    """New rows of one model. Keys that the database makes are not told."""
    _write(*_insert(_vendor(), type(next(iter(rows)))), rows)


def update(names: Sequence[str], rows: Collection[models.Model]) -> None:
    """The same fields of rows of one model, all of them locked by what governs them."""
    _write(*_update(_vendor(), type(next(iter(rows))), tuple(names)), rows)


def _write(sql: str, columns: Sequence[Column], rows: Collection[models.Model]) -> None:
    statement.answer(sql, _parameters(columns, rows), bool)


def _parameters(columns: Sequence[Column], rows: Collection[models.Model]) -> list[Any]:
    attributes, prepared = _written(tuple(columns))
    values: list[Sequence[Any]] = [attributes(row.__dict__) for row in rows]
    if prepared:
        values = [list(row) for row in values]
    for at, prepare in prepared:
        for row in cast("list[list[Any]]", values):
            row[at] = prepare(row[at], connection)
    return [compact(values)] if _vendor() == "sqlite" else [_array_of(column) for column in zip(*values, strict=True)]


@cache
def _written(columns: tuple[Column, ...]) -> tuple[Callable[[Any], Any], list[tuple[int, Callable[..., Any]]]]:
    """What takes the values from a row's attributes, and which of them the database takes in another form."""
    others = [(at, column) for at, column in enumerate(columns) if not isinstance(column, STORED_AS_IS)]
    prepared = [(at, _hex if isinstance(c, models.UUIDField) else c.get_db_prep_save) for at, c in others]
    return itemgetter(*(column.attname for column in columns)), prepared


def _hex(value: UUID | None, _connection: object) -> str | None:
    """As both databases take a UUID in the texts that we make."""
    return None if value is None else value.hex


@cache
def _vendor() -> str:
    """Asked for each statement; `connection` would look for this thread's own every time."""
    return connection.vendor


@cache
def _insert(vendor: str, model: Model) -> tuple[str, list[Column]]:
    """The statement, and the columns that it takes."""
    columns = [column for column in model._meta.concrete_fields if not isinstance(column, models.AutoField)]
    table, named = _quoted(model._meta.db_table), ", ".join(_quoted(column.column) for column in columns)
    return f"INSERT INTO {table} ({named}) SELECT * FROM {_rows(vendor, columns)} AS new", columns


@cache
def _update(vendor: str, model: Model, names: tuple[str, ...]) -> tuple[str, list[Column]]:
    columns = [*_columns_of(model, names), model._meta.pk]
    table, key = _quoted(model._meta.db_table), _quoted(model._meta.pk.column)
    marks = ", ".join(f"{_quoted(column.column)} = new.{_quoted(column.column)}" for column in columns[:-1])
    source = _rows(vendor, columns)
    return f"UPDATE {table} SET {marks} FROM {source} AS new WHERE {table}.{key} = new.{key}", columns


@cache
def readable(model: Model) -> tuple[str, ...]:
    """All fields that are read here."""
    return tuple(column.name for column in model._meta.concrete_fields if isinstance(column, READABLE))


@cache
def _meant(vendor: str, model: Model, names: tuple[str, ...]) -> list[tuple[int, Callable[[Any], Any]]]:
    """Where the database's JSON tells something else than Python means."""
    kinds = [type(_column_at(model, name)) for name in names]
    return [(at, MEANT[vendor][kind]) for at, kind in enumerate(kinds) if kind in MEANT[vendor]]


@cache
def _columns_of(model: Model, names: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple(cast("Column", model._meta.get_field(name)) for name in names)


@cache
def _select(
    vendor: str, model: Model, names: tuple[str, ...], among: tuple[str, ...], where: str, lock: Lock, *, one: bool
) -> str:
    named = _listed(vendor, [_value(model, name) for name in names], one=one)
    conditions = [_condition_on(vendor, model, name) for name in among] + ([where] if where else [])
    sql = f"SELECT {named} FROM {_quoted(model._meta.db_table)} WHERE {' AND '.join(conditions)}"
    if lock and vendor != "sqlite":
        sql += f" ORDER BY {_quoted(model._meta.pk.column)} FOR UPDATE{' SKIP LOCKED' * (lock == 'skip')}"
    return sql


@cache
def _newer(vendor: str, model: Model, names: tuple[str, ...], of: str, joined: str) -> str:
    (key,), (link,) = _columns_of(model, (of,)), _columns_of(model, (joined,))
    own = [f"own.{_quoted(column.column)}" for column in _columns_of(model, names)]
    named = _listed(vendor, [*own, f"other.{_quoted('name')}"], one=False)
    other = cast("Model", link.related_model)._meta
    source, ref, seq = NEWER[vendor]
    return (
        f"SELECT {named} FROM {source}"
        f" CROSS JOIN {_quoted(model._meta.db_table)} AS own"
        f"{' LEFT' * link.null} JOIN {_quoted(other.db_table)} AS other"
        f" ON other.{_quoted(other.pk.column)} = own.{_quoted(link.column)}"
        f" WHERE own.{_quoted(key.column)} = {ref} AND own.{_quoted('seq')} > {seq}"
    )


@cache
def _count(vendor: str, model: Model, by: str, where: str, *, one: bool) -> str:
    (column,) = _columns_of(model, (by,))
    table, named = _quoted(model._meta.db_table), _quoted(column.column)
    condition = f"{_condition(vendor, column)} AND {where}"
    counted = f"SELECT {named}, count(*) AS many FROM {table} WHERE {condition} GROUP BY {named}"
    return f"SELECT {_listed(vendor, [named, 'many'], one=one)} FROM ({counted}) AS counted"


def _listed(vendor: str, values: Sequence[str], *, one: bool) -> str:
    """What a statement reads, row by row or as one text; SQLite's always as one."""
    named = ", ".join(values)
    if vendor == "sqlite":
        return f"json_group_array(json_array({named}))"
    return f"json_agg(json_build_array({named}))::text" if one else named


def _column_at(model: Model, name: str) -> Column:
    """Of the model, or as `participant__name` of whom its key leads to."""
    name, _, of_other = name.partition("__")
    (column,) = _columns_of(model, (name,))
    return _columns_of(cast("Model", column.related_model), (of_other,))[0] if of_other else column


def _value(model: Model, name: str) -> str:
    column = _column_at(model, name)
    if column.model is model:
        return _quoted(column.column)
    (link,) = _columns_of(model, (name.partition("__")[0],))
    other, own = column.model._meta, f"{_quoted(model._meta.db_table)}.{_quoted(link.column)}"
    found = f"SELECT {_quoted(column.column)} FROM {_quoted(other.db_table)} AS other"
    return f"({found} WHERE other.{_quoted(other.pk.column)} = {own})"


def _condition_on(vendor: str, model: Model, name: str) -> str:
    """On a field of the model, or as `devices__digest` and `session__event` on the rows that its key leads to."""
    name, _, of_related = name.partition("__")
    if not of_related:
        return _condition(vendor, *_columns_of(model, (name,)))
    link = model._meta.get_field(name)
    other = cast("Model", link.related_model)
    own, theirs = model._meta.pk, other._meta.pk
    if isinstance(link, models.ManyToOneRel):
        theirs = link.field
    else:
        own = cast("Column", link)
    among = _condition(vendor, *_columns_of(other, (of_related,)))
    source = f"SELECT {_quoted(theirs.column)} FROM {_quoted(other._meta.db_table)} WHERE {among}"
    return f"{_quoted(own.column)} IN ({source})"


def _condition(vendor: str, column: Column) -> str:
    if vendor == "sqlite":
        return f"{_quoted(column.column)} IN (SELECT value FROM json_each(%s))"
    return f"{_quoted(column.column)} = ANY(%s::{_array(column)})"


def _keys(values: Iterable[Any]) -> Any:
    if _vendor() != "sqlite":
        return _array_of(values)
    return compact([value.hex if isinstance(value, UUID) else value for value in values])


def _array_of(values: Iterable[Any]) -> str:
    """As PostgreSQL writes an array; psycopg takes three times as long to find out what is in a list."""
    return f"{{{','.join([_element(value) for value in values])}}}"


def _element(value: Any) -> str:
    if isinstance(value, UUID):
        return value.hex
    if type(value) is str:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return "NULL" if value is None else str(value)


def _rows(vendor: str, columns: Sequence[Column]) -> str:
    """The rows of a parameter as a source with these columns."""
    named = [_quoted(column.column) for column in columns]
    if vendor == "sqlite":
        values = (f"json_extract(value, '$[{at}]') AS {name}" for at, name in enumerate(named))
        return f"(SELECT {', '.join(values)} FROM json_each(%s))"
    values = (f"unnest(%s::{_array(column)}) AS {name}" for column, name in zip(columns, named, strict=True))
    return f"(SELECT {', '.join(values)})"


def _array(column: Column) -> str:
    kind = column.rel_db_type(connection) or column.db_type(connection) or "text"
    return "text[]" if kind.startswith("varchar") else f"{kind}[]"


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or "")
