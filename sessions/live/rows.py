"""Many rows of one model read or written by one statement whose text does not depend on how many they are.

On the way of a note the ORM costs more than everything else together: `bulk_update` builds an expression for each row,
and each query is compiled anew. Only the live engine and its kinds of stream read here, only `streams.apply` writes.
"""

# ruff: noqa: S608 - the names in these statements are those of our own models

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, TypeAlias, TypeVar, cast
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, models

Column: TypeAlias = "models.Field[Any, Any]"
Row = TypeVar("Row", bound=models.Model)
Model = type[models.Model]
Lock = Literal["", "wait", "skip"]
STORED_AS_IS = (
    *(models.AutoField, models.BooleanField, models.CharField),
    *(models.ForeignKey, models.IntegerField, models.TextField),
)
READABLE = (*STORED_AS_IS, models.UUIDField)
MEANT: dict[type, Callable[[Any], Any]] = {models.BooleanField: bool, models.UUIDField: UUID}  # what SQLite has not
NEWER = {  # keys with a number each, and how these are called
    "sqlite": ("json_each(%s) AS wanted", "CAST(wanted.key AS INTEGER)", "wanted.value"),
    "postgresql": ("unnest(%s::bigint[], %s::bigint[]) AS wanted (of, seq)", "wanted.of", "wanted.seq"),
}


def find(
    model: Model, names: Sequence[str], among: Mapping[str, Collection[Any]], *, where: str = "", lock: Lock = ""
) -> list[Sequence[Any]]:
    """The values of these fields in all rows whose fields are `among` the given ones. Keys, numbers, texts, truths.

    `where` is a further condition in SQL. `lock` holds the rows in the order of their keys, as SQLite does by itself;
    with "skip" those that another connection holds are left out.
    """
    keys = [_keys(values) for values in among.values()]
    return _fetch(_select(connection.vendor, model, tuple(names), tuple(among), where, lock), keys, model, names)


def newer(model: Model, names: Sequence[str], of: str, after: Mapping[int, int], *, joined: str) -> list[Sequence[Any]]:
    """The values of these fields in all rows that have risen: whose seq is above what `after` has for their `of`.

    The last value is the `name` of whom the key `joined` leads to.
    """
    keys = [json.dumps(after)] if connection.vendor == "sqlite" else [list(after), list(after.values())]
    return _fetch(_newer(connection.vendor, model, tuple(names), of, joined), keys, model, names)


def count(model: Model, by: str, among: Collection[int], *, where: str) -> dict[int, int]:
    """How many rows there are for each of these keys in `by`; none is not told. `where` is a condition in SQL."""
    found = _fetch(_count(connection.vendor, model, by, where), [_keys(among)], model, (by,))
    return dict(cast("list[tuple[int, int]]", found))


def _fetch(sql: str, keys: Sequence[Any], model: Model, names: Sequence[str]) -> list[Sequence[Any]]:
    """SQLite knows neither truths nor UUIDs."""
    with connection.cursor() as cursor:
        cursor.execute(sql, keys)
        found: list[Sequence[Any]] = cursor.fetchall()
    if connection.vendor == "sqlite":
        for at, column in enumerate(_columns_of(model, tuple(names))):
            meant = MEANT.get(type(column))
            if meant is not None:
                found = [(*row[:at], row[at] if row[at] is None else meant(row[at]), *row[at + 1 :]) for row in found]
    return found


def load(
    model: type[Row], names: Sequence[str], among: Mapping[str, Collection[Any]], *, where: str = "", lock: Lock = ""
) -> list[Row]:
    """The same as objects of the model, whose other fields are deferred."""
    wanted = _columns_of(model, tuple(names))
    columns = [column for column in model._meta.concrete_fields if column in wanted]  # the order that Django expects
    attributes = [column.attname for column in columns]
    rows = find(model, [column.name for column in columns], among, where=where, lock=lock)
    return [model.from_db(DEFAULT_DB_ALIAS, attributes, row) for row in rows]


def whole(model: type[Row], among: Mapping[str, Collection[Any]]) -> list[Row]:
    """The same with all fields that can be read here. Moments cannot: whoever asks for one asks the ORM."""
    return load(model, _readable(model), among)


def attach(owners: Iterable[models.Model], name: str, related: Iterable[models.Model], *, by: str) -> None:
    """Gives each owner its rows, those whose attribute `by` is its key, as `prefetch_related(name)` would."""
    of: dict[Any, list[models.Model]] = defaultdict(list)
    for row in related:
        of[row.__dict__[by]].append(row)
    for owner in owners:
        known: Any = models.QuerySet(cast("Model", owner._meta.get_field(name).related_model))
        known._result_cache, known._prefetch_done = of[owner.pk], True
        cast("Any", owner)._prefetched_objects_cache = {name: known}


def insert(rows: Collection[models.Model]) -> None:
    """New rows of one model. Keys that the database makes are not told."""
    model = type(next(iter(rows)))
    columns = [column for column in model._meta.concrete_fields if not isinstance(column, models.AutoField)]
    table, named = _quoted(model._meta.db_table), ", ".join(_quoted(column.column) for column in columns)
    if connection.vendor == "sqlite":
        marks = ", ".join(["%s"] * len(columns))
        _one_by_one(f"INSERT INTO {table} ({named}) VALUES ({marks})", columns, rows)
    else:
        _at_once(f"INSERT INTO {table} ({named}) SELECT * FROM {_unnested(columns)}", columns, rows)


def update(names: Sequence[str], rows: Collection[models.Model]) -> None:
    """The same fields of rows of one model, all of them locked by what governs them."""
    meta = type(next(iter(rows)))._meta
    columns = [*_columns_of(meta.model, tuple(names)), meta.pk]
    table, key = _quoted(meta.db_table), _quoted(meta.pk.column)
    named = [_quoted(column.column) for column in columns]
    if connection.vendor == "sqlite":
        marks = ", ".join(f"{name} = %s" for name in named[:-1])
        _one_by_one(f"UPDATE {table} SET {marks} WHERE {key} = %s", columns, rows)
    else:
        marks = ", ".join(f"{name} = new.{name}" for name in named[:-1])
        source = f"{_unnested(columns)} AS new ({', '.join(named)})"
        _at_once(f"UPDATE {table} SET {marks} FROM {source} WHERE {table}.{key} = new.{key}", columns, rows)


def _one_by_one(sql: str, columns: Sequence[Column], rows: Collection[models.Model]) -> None:
    """One statement for the database driver, which repeats it."""
    with connection.cursor() as cursor:
        cursor.executemany(sql, list(zip(*_values(columns, rows), strict=True)))


def _at_once(sql: str, columns: Sequence[Column], rows: Collection[models.Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, _values(columns, rows))


def _values(columns: Sequence[Column], rows: Collection[models.Model]) -> list[list[Any]]:
    """Column by column, as the database takes them."""
    found = []
    for column in columns:
        values = [row.__dict__[column.attname] for row in rows]
        if not isinstance(column, STORED_AS_IS):
            values = [column.get_db_prep_save(value, connection) for value in values]
        found.append(values)
    return found


@cache
def _readable(model: Model) -> tuple[str, ...]:
    return tuple(column.name for column in model._meta.concrete_fields if isinstance(column, READABLE))


@cache
def _columns_of(model: Model, names: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple(cast("Column", model._meta.get_field(name)) for name in names)


@cache
def _select(vendor: str, model: Model, names: tuple[str, ...], among: tuple[str, ...], where: str, lock: Lock) -> str:
    named = ", ".join(_quoted(column.column) for column in _columns_of(model, names))
    conditions = [_condition(vendor, column) for column in _columns_of(model, among)] + ([where] if where else [])
    sql = f"SELECT {named} FROM {_quoted(model._meta.db_table)} WHERE {' AND '.join(conditions)}"
    if lock and vendor != "sqlite":
        sql += f" ORDER BY {_quoted(model._meta.pk.column)} FOR UPDATE{' SKIP LOCKED' * (lock == 'skip')}"
    return sql


@cache
def _newer(vendor: str, model: Model, names: tuple[str, ...], of: str, joined: str) -> str:
    (key,), (link,) = _columns_of(model, (of,)), _columns_of(model, (joined,))
    named = ", ".join(f"own.{_quoted(column.column)}" for column in _columns_of(model, names))
    other = cast("Model", link.related_model)._meta
    source, ref, seq = NEWER[vendor]
    return (
        f"SELECT {named}, other.{_quoted('name')} FROM {source}"
        f" CROSS JOIN {_quoted(model._meta.db_table)} AS own"
        f" JOIN {_quoted(other.db_table)} AS other ON other.{_quoted(other.pk.column)} = own.{_quoted(link.column)}"
        f" WHERE own.{_quoted(key.column)} = {ref} AND own.{_quoted('seq')} > {seq}"
    )


@cache
def _count(vendor: str, model: Model, by: str, where: str) -> str:
    (column,) = _columns_of(model, (by,))
    named = _quoted(column.column)
    return (
        f"SELECT {named}, count(*) FROM {_quoted(model._meta.db_table)}"
        f" WHERE {_condition(vendor, column)} AND {where} GROUP BY {named}"
    )


def _condition(vendor: str, column: Column) -> str:
    if vendor == "sqlite":
        return f"{_quoted(column.column)} IN (SELECT value FROM json_each(%s))"
    return f"{_quoted(column.column)} = ANY(%s::{_array(column)})"


def _keys(values: Iterable[Any]) -> Any:
    if connection.vendor != "sqlite":
        return list(values)
    return json.dumps([value.hex if isinstance(value, UUID) else value for value in values])


def _unnested(columns: Sequence[Column]) -> str:
    return f"unnest({', '.join(f'%s::{_array(column)}' for column in columns)})"


def _array(column: Column) -> str:
    kind = column.rel_db_type(connection) or column.db_type(connection) or "text"
    return "text[]" if kind.startswith("varchar") else f"{kind}[]"


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or "")
