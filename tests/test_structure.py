"""The shape of the live engine, read from the source and seen at run time: one writer, one maker, one door."""

import ast
import json
import re
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.db import connection, connections
from django.test import AsyncClient

from sessions.live import desk, threads
from sessions.models import Change, Moderator, Stream
from tables import samples
from tables.models import Authorship, Note, Seat
from tables.plan import Plan, change, plan_of
from tests.browsing import Browser, board_of
from tests.cafe import Cafe, new_id

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("sessions", "tables", "zoomcafe")
WRITER = "sessions/live/streams.py"
LIVE = (Stream, Change, Note, Seat, Authorship)
WRITING = {"create", "bulk_create", "bulk_update", "update", "delete", "save", "get_or_create", "update_or_create"}
WRITING |= {f"a{name}" for name in WRITING}
ROWS = {"Stream", "Change", "Note", "Seat", "notes", "seats", "changes", "streams", "note", "seat", "change", "stream"}


def sources(root: Path = ROOT) -> Iterator[tuple[str, ast.Module]]:
    """Our modules with their place, migrations apart."""
    for package in PRODUCT:
        for path in sorted((root / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(root)), ast.parse(path.read_text(encoding="utf-8"))


def writers(root: Path = ROOT) -> set[str]:
    """Modules with a call such as `Note.objects.create(…)`, `board.notes.filter(…).delete()` or `seat.save(…)`."""
    return {
        place
        for place, module in sources(root)
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in WRITING
        and ROWS & set(words_of(node.func.value))
    }


def words_of(receiver: ast.expr) -> Iterator[str]:
    """The names along a chain such as `Note.objects.filter(…)`, not those inside its brackets."""
    while True:
        match receiver:
            case ast.Attribute(value=inner, attr=name):
                yield name
                receiver = inner
            case ast.Call(func=inner) | ast.Subscript(value=inner):
                receiver = inner
            case ast.Name(id=name):
                yield name
                return
            case _:
                return


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def makes_parts_frame(function: ast.AST) -> bool:
    """Whether it holds a text with `"t":"parts"` or a dict with `"t": "parts"`."""
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and '"t":"parts"' in node.value:
            return True
        if isinstance(node, ast.Dict):
            keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
            values = [value.value if isinstance(value, ast.Constant) else None for value in node.values]
            if ("t", "parts") in zip(keys, values, strict=True):
                return True
    return False


def test_live_rows_are_written_in_one_module() -> None:
    assert writers() == {WRITER}


@pytest.mark.parametrize(
    "line",
    [
        "Note.objects.create(text='x')",
        "board.notes.filter(pk=1).delete()",
        "await Seat.objects.filter(pk=1).aupdate(place=2)",
        "note.save(update_fields=['text'])",
        "event.streams.all()[0].save()",
    ],
)
def test_another_writer_would_be_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "quick.py").write_text(f"async def write():\n    {line}\n", encoding="utf-8")

    assert writers(tmp_path) == {"tables/quick.py"}


def test_rows_are_written_for_the_one_writer_alone() -> None:
    writing = ("insert", "insert_values", "update", "count_on", "write")
    callers = {
        place
        for place, module in sources()
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in {("rows", name) for name in writing}
    }

    assert callers == {WRITER}


def test_rows_that_no_stream_governs_are_added_where_people_come_in() -> None:
    callers = {
        place
        for place, module in sources()
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "rows"
        if node.attr == "add"
    }

    assert callers == {"sessions/identity.py"}


def test_frames_with_parts_are_built_in_one_function() -> None:
    makers = [
        (place, function.name)
        for place, module in sources()
        for function in functions(module)
        if makes_parts_frame(function)
    ]

    assert makers == [("sessions/live/wire.py", "parts_frames")]


WRITES = re.compile(r'\b(?:INSERT INTO|UPDATE|DELETE FROM) "?(\w+)')  # one statement may hold several


class Watch:
    """Notes, for every statement that writes a live row, which of our modules it came from."""

    def __init__(self) -> None:
        self.written: dict[str, set[str]] = {}
        self.names = {model._meta.db_table: model.__name__ for model in LIVE}

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        for name in self.names.keys() & set(WRITES.findall(sql)):
            self.written.setdefault(self.names[name], set()).add(self.place())
        return execute(sql, params, many, context)

    def place(self) -> str:
        ours = [
            Path(frame.filename).relative_to(ROOT)
            for frame in traceback.extract_stack()
            if Path(frame.filename).is_relative_to(ROOT) and Path(frame.filename).relative_to(ROOT).parts[0] in PRODUCT
        ]
        tools = {"zoomcafe/sqlite/base.py", "sessions/live/rows.py", "sessions/live/statement.py"}  # as they are told
        return str(next(path for path in reversed(ours) if str(path) not in tools))


@pytest.mark.django_db
def test_live_rows_are_written_in_one_module_at_run_time(ada: Moderator) -> None:
    watch = Watch()

    with connection.execute_wrapper(watch):
        live = samples.bring(ada, language="en", talking=True).live
        call_command("guests", live.join_code, "--count", "3", "--seated", stdout=StringIO())
        change(live, renamed(plan_of(live)))
        Cafe().runs()

    assert watch.written == {name: {WRITER} for name in ("Stream", "Change", "Note", "Seat", "Authorship")}


def renamed(plan: Plan) -> Plan:
    return replace(plan, tables=(replace(plan.tables[0], name="By the window"), *plan.tables[1:]))


@contextmanager
def entries_of(code: CodeType) -> Iterator[list[dict[str, Any]]]:
    """The arguments of every call that enters this very function object on the present thread."""
    entered: list[dict[str, Any]] = []
    seen: set[int] = set()

    def look(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code is code and id(frame) not in seen:
            seen.add(id(frame))
            entered.append({**frame.f_locals, "kept": frame})

    sys.setprofile(look)
    try:
        yield entered
    finally:
        sys.setprofile(None)


@pytest.fixture
async def running(transactional_db: None) -> AsyncIterator[Cafe]:
    yield await sync_to_async(lambda: Cafe().runs())()
    await threads.close()
    await sync_to_async(connections.close_all)()


def http(cafe: Cafe) -> AsyncClient:
    browser = AsyncClient()
    browser.cookies.load(cafe.cookie(cafe.cem))
    return browser


@pytest.mark.django_db(transaction=True)
async def test_socket_post_and_plain_form_reach_the_same_function(running: Cafe) -> None:
    board, question = await board_of(running)
    ids = {name: str(new_id()) for name in ("socket", "post", "form")}
    said = {"q": question, "text": "Benches"}
    frame = {"t": "op", "id": ids["post"], "s": board, "k": "note.add", "d": said}
    form = {"id": ids["form"], "s": board, "k": "note.add", "next": "/", **said}
    address = f"/live/{running.event.key}/ops"
    cem = await Browser(running.event.key, running.cookie(running.cem)).hello()

    with entries_of(desk.operate.__code__) as entered:
        ack = await cem.posts(board, "note.add", _id=ids["socket"], **said)
        answer = await http(running).post(address, frame, content_type="application/json")
        page = await http(running).post(address, form)

    assert (ack["t"], answer.json()["t"], page.status_code) == ("ack", "ack", 303)
    assert [str(call["said"].op_id) for call in entered] == list(ids.values())
    assert len({(call["viewer"].pk, call["said"].stream, call["said"].kind) for call in entered}) == 1
    assert [call["said"].data for call in entered] == [said] * 3
    assert await Note.objects.acount() == 3
    await cem.leaves()


@pytest.mark.django_db(transaction=True)
async def test_socket_and_poll_get_frames_from_the_same_function(running: Cafe) -> None:
    board, _question = await board_of(running)
    await sync_to_async(lambda: [running.writes(running.ben, text) for text in ("Benches", "Trees")])()
    wishes = json.dumps({"stage": 0, "me": 0, board: 0})
    cem = Browser(running.event.key, running.cookie(running.cem))

    await cem.hello(**{board.replace(":", "_"): 0, "stage": 0, "me": 0})
    pushed = {frame["s"]: frame for frame in [await cem.hears("parts") for _stream in range(3)]}
    polled = await http(running).get(f"/live/{running.event.key}/parts", {"since": wishes})

    assert {frame["s"]: frame for frame in polled.json() if frame["t"] == "parts"} == pushed
    assert [part["text"] for part in pushed[board]["parts"]] == ["Benches", "Trees"]
    await cem.leaves()


def test_frames_from_outside_enter_by_the_desk_alone() -> None:
    assert callers_of("desk", "operate") == {"sessions/live/socket.py"}
    assert callers_of("desk", "answer_to") == {"sessions/live/http.py"}  # by `operate`


def test_only_the_sample_is_judged_as_of_another_time() -> None:
    assert callers_of("streams", "replay") == {"tables/samples/loading.py"}


def callers_of(module: str, function: str) -> set[str]:
    """Modules that name this function: it may also be handed on, as `in_thread(streams.apply, …)` does."""
    return {
        place
        for place, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == function
        and isinstance(node.value, ast.Name)
        and node.value.id == module
    }
