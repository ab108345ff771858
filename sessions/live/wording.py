"""How the statements of `rows.py` are worded for SQLite and for PostgreSQL, put together once for each use."""

# ruff: noqa: S608 - the names in these statements are those of our own models

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, TypeAlias, cast

from django.db import connection, models

Column: TypeAlias = "models.Field[Any, Any]"
Model = type[models.Model]
Lock = Literal["", "wait", "skip"]
# Keys with a number each, and the rows of each. CROSS and OFFSET 0 see to it that no others are read; without an end of
# the numbers PostgreSQL would expect a third of a key's rows, and rather read them all.
NEWER = {
    "sqlite": (
        "json_each(%s) AS wanted CROSS JOIN {table} AS own"
        " ON own.{key} = CAST(wanted.key AS INTEGER) AND own.{seq} > wanted.value"
    ),
    "postgresql": (
        "unnest(%s::bigint[], %s::bigint[]) AS wanted (of, seq) CROSS JOIN LATERAL (SELECT * FROM {table} AS each WHERE"
        " each.{key} = wanted.of AND each.{seq} > wanted.seq AND each.{seq} < 9223372036854775807 OFFSET 0) AS own"
    ),
}


@cache
def inserted(model: Model) -> tuple[Column, ...]:
    """What a new row is given: all but a key that the database makes."""
    return tuple(column for column in model._meta.concrete_fields if not isinstance(column, models.AutoField))


@cache
def insert(vendor: str, model: Model, count: int = 1, given: tuple[str, ...] = ()) -> str:
    """SQLite takes a mark for each value of so many rows, PostgreSQL an array for each column: of all that a new row is
    given, or in their order of these attributes; the others are blank.
    """
    of = {column.attname: column for column in inserted(model)}
    columns = [of[name] for name in given or of]
    others = {quoted(of[name].column): literal(blank(model)[name]) for name in of if given and name not in given}
    named = ", ".join([*(quoted(column.column) for column in columns), *others])
    start = f"INSERT INTO {quoted(model._meta.db_table)} ({named}) "
    if vendor == "sqlite":
        marks = f"({', '.join([*['%s'] * len(columns), *others.values()])})"
        return f"{start}VALUES {', '.join([marks] * count)}"
    return f"{start}SELECT {', '.join(['new.*', *others.values()])} FROM {rows(vendor, columns)} AS new"


@cache
def blank(model: Model) -> dict[str, Any]:
    """What an attribute is that is not given."""
    callables = [
        column.name for column in model._meta.concrete_fields if column.has_default() and callable(column.default)
    ]
    assert not callables, f"{callables} of {model} would be shared by all rows"
    return {column.attname: column.get_default() for column in model._meta.concrete_fields}


def literal(value: Any) -> str:
    """As both databases read it in a statement."""
    known = {None: "NULL", True: "TRUE", False: "FALSE", "": "''"}
    return str(value) if type(value) is int else known[value]


@cache
def update(vendor: str, model: Model, names: tuple[str, ...]) -> tuple[str, tuple[Column, ...]]:
    columns = (*columns_of(model, names), model._meta.pk)
    table, key = quoted(model._meta.db_table), quoted(model._meta.pk.column)
    marks = ", ".join(f"{quoted(column.column)} = new.{quoted(column.column)}" for column in columns[:-1])
    source = rows(vendor, columns)
    return f"UPDATE {table} SET {marks} FROM {source} AS new WHERE {table}.{key} = new.{key}", columns


@cache
def columns_of(model: Model, names: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple(cast("Column", model._meta.get_field(name)) for name in names)


@cache
def select(
    vendor: str, model: Model, names: tuple[str, ...], among: tuple[str, ...], where: str, lock: Lock, *, one: bool
) -> str:
    named = listed(vendor, [value(model, name) for name in names], one=one)
    conditions = [condition_on(vendor, model, name) for name in among] + ([where] if where else [])
    sql = f"SELECT {named} FROM {quoted(model._meta.db_table)} WHERE {' AND '.join(conditions)}"
    if lock and vendor != "sqlite":
        sql += f" ORDER BY {quoted(model._meta.pk.column)} FOR UPDATE{' SKIP LOCKED' * (lock == 'skip')}"
    return sql


@cache
def newer(vendor: str, model: Model, names: tuple[str, ...], of: str, joined: str) -> str:
    (key,), (link,) = columns_of(model, (of,)), columns_of(model, (joined,))
    own = [f"own.{quoted(column.column)}" for column in columns_of(model, names)]
    named = listed(vendor, [*own, f"other.{quoted('name')}"], one=False)
    other = cast("Model", link.related_model)._meta
    table = quoted(model._meta.db_table)
    return (
        f"SELECT {named} FROM {NEWER[vendor].format(table=table, key=quoted(key.column), seq=quoted('seq'))}"
        f"{' LEFT' * link.null} JOIN {quoted(other.db_table)} AS other"
        f" ON other.{quoted(other.pk.column)} = own.{quoted(link.column)}"
    )


@cache
def count_on(vendor: str, model: Model) -> str:
    """Of a model with keys that are unique together and then a number. SQLite needs a WHERE to tell ON CONFLICT from
    a join.
    """
    columns = inserted(model)
    table, (*keys, number) = quoted(model._meta.db_table), [quoted(column.column) for column in columns]
    named = ", ".join([*keys, number])
    return (
        f"INSERT INTO {table} ({named}) SELECT {named} FROM {rows(vendor, columns)} AS new WHERE true"
        f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {number} = {table}.{number} + excluded.{number}"
    )


def listed(vendor: str, values: Sequence[str], *, one: bool) -> str:
    """What a statement reads, row by row or as one text; SQLite's always as one."""
    named = ", ".join(values)
    if vendor == "sqlite":
        return f"json_group_array(json_array({named}))"
    return f"json_agg(json_build_array({named}))::text" if one else named


def column_at(model: Model, name: str) -> Column:
    """Of the model, or as `participant__name` of whom its key leads to."""
    name, _, of_other = name.partition("__")
    (column,) = columns_of(model, (name,))
    return columns_of(cast("Model", column.related_model), (of_other,))[0] if of_other else column


def value(model: Model, name: str) -> str:
    column = column_at(model, name)
    if column.model is model:
        return quoted(column.column)
    (link,) = columns_of(model, (name.partition("__")[0],))
    other, own = column.model._meta, f"{quoted(model._meta.db_table)}.{quoted(link.column)}"
    found = f"SELECT {quoted(column.column)} FROM {quoted(other.db_table)} AS other"
    return f"({found} WHERE other.{quoted(other.pk.column)} = {own})"


def condition_on(vendor: str, model: Model, name: str) -> str:
    """On a field of the model, or as `devices__digest` and `session__event` on the rows that its key leads to."""
    name, _, of_related = name.partition("__")
    if not of_related:
        return condition(vendor, *columns_of(model, (name,)))
    link = model._meta.get_field(name)
    other = cast("Model", link.related_model)
    own, theirs = model._meta.pk, other._meta.pk
    if isinstance(link, models.ManyToOneRel):
        theirs = link.field
    else:
        own = cast("Column", link)
    among = condition(vendor, *columns_of(other, (of_related,)))
    source = f"SELECT {quoted(theirs.column)} FROM {quoted(other._meta.db_table)} WHERE {among}"
    return f"{quoted(own.column)} IN ({source})"


def condition(vendor: str, column: Column) -> str:
    if vendor == "sqlite":
        return f"{quoted(column.column)} IN (SELECT value FROM json_each(%s))"
    return f"{quoted(column.column)} = ANY(%s::{array(column)})"


def rows(vendor: str, columns: Sequence[Column]) -> str:
    """The rows of a parameter as a source with these columns."""
    named = [quoted(column.column) for column in columns]
    if vendor == "sqlite":
        values = (f"json_extract(value, '$[{at}]') AS {name}" for at, name in enumerate(named))
        return f"(SELECT {', '.join(values)} FROM json_each(%s))"
    values = (f"unnest(%s::{array(column)}) AS {name}" for column, name in zip(columns, named, strict=True))
    return f"(SELECT {', '.join(values)})"


def array(column: Column) -> str:
    kind = column.rel_db_type(connection) or column.db_type(connection) or "text"
    return "text[]" if kind.startswith("varchar") else f"{kind}[]"


def quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or "")
