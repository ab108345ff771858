"""A person with a browser's cookies, over real HTTP: gets pages, sends forms. For rehearsals and measurements."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

MOST_REDIRECTS = 5
WITHIN = 30.0  # seconds for one answer
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(slots=True)
class Form:
    """A form of a page with what its inputs hold already, hidden ones too."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Page:
    """An answer of the server. `main` are the attributes of the element with the id `main`."""

    status: int
    address: str
    headers: list[tuple[str, str]]
    body: bytes
    main: dict[str, str] = field(default_factory=dict)
    forms: list[Form] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.body.decode()

    def form(self, name: str) -> Form | None:
        """The first form with an input of this name."""
        return next((form for form in self.forms if name in form.fields), None)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)


class Visitor:
    """Keeps cookies. `base_url` is the server's origin, such as `http://127.0.0.1:8000`."""

    def __init__(self, base_url: str, *, language: str = "") -> None:
        self.base_url = base_url.rstrip("/")
        self.language = language
        self.cookies: dict[str, str] = {}

    @property
    def cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def get(self, address: str) -> Page:
        """The page at `address`, redirects followed."""
        return await self._follow("GET", address, None)

    async def submit(self, page: Page, typed: dict[str, str], *, form: Form | None = None) -> Page:
        """Fills in a form of the page, by itself the one that asks for what is typed; the page it leads to.

        Raises `LookupError` when there is no such form.
        """
        form = form or page.form(next(iter(typed), ""))
        if form is None:
            raise LookupError(f"{page.address} answered {page.status} without the form that was looked for")
        address = urljoin(page.address, form.action)
        return await self._follow("POST", address, urlencode({**form.fields, **typed}).encode())

    async def _follow(self, method: str, address: str, body: bytes | None) -> Page:
        page = await self._ask(method, address, body)
        for _ in range(MOST_REDIRECTS):
            target = page.header("location")
            if page.status not in REDIRECTS or target is None:
                return page
            page = await self._ask("GET", urljoin(page.address, target), None)
        return page

    async def _ask(self, method: str, address: str, body: bytes | None) -> Page:
        url = urljoin(f"{self.base_url}/", address)
        async with asyncio.timeout(WITHIN):
            answer = await exchange(url, method, self._headers(url, body), body=body)
        page = read_page(url, answer)
        self._keep(page)
        return page

    def _headers(self, url: str, body: bytes | None) -> dict[str, str]:
        headers = {"Host": urlsplit(url).netloc, "Connection": "close", "Accept": "text/html"}
        if self.language:
            headers["Accept-Language"] = self.language
        if self.cookies:
            headers["Cookie"] = self.cookie_header
        if body is not None:
            headers |= {
                "Origin": self.base_url,
                "Referer": f"{self.base_url}/",
                "Sec-Fetch-Site": "same-origin",
                "Content-Type": "application/x-www-form-urlencoded",
                "Content-Length": str(len(body)),
            }
        return headers

    def _keep(self, page: Page) -> None:
        for name, value in page.headers:
            if name == "set-cookie":
                for cookie in SimpleCookie(value).values():
                    self.cookies.pop(cookie.key, None)
                    if cookie.value and cookie["max-age"] != "0":
                        self.cookies[cookie.key] = cookie.coded_value


async def exchange(url: str, method: str, headers: dict[str, str], *, body: bytes | None = None) -> bytes:
    """One HTTP/1.1 request on a connection of its own; the raw answer."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    reader, writer = await asyncio.open_connection(
        parts.hostname, parts.port or (443 if secure else 80), ssl=ssl.create_default_context() if secure else None
    )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    try:
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + (body or b""))
        return await reader.read()
    finally:
        writer.close()


def read_page(url: str, answer: bytes) -> Page:
    """Raises `ConnectionError` for what is no complete answer."""
    head, gap, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    if not gap or not status.startswith("HTTP/1."):
        raise ConnectionError(f"no answer from {url}")
    pairs = [line.partition(":") for line in lines]
    headers = [(name.strip().lower(), value.strip()) for name, _, value in pairs]
    if ("transfer-encoding", "chunked") in headers:
        body = unchunked(body)
    page = Page(status=int(status.split()[1]), address=url, headers=headers, body=body)
    if (page.header("content-type") or "").startswith("text/html"):
        marks = Marks()
        marks.feed(page.text)
        page.main, page.forms = marks.main, marks.forms
    return page


def unchunked(body: bytes) -> bytes:
    whole = bytearray()
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.split(b";")[0] or b"0", 16)
        if not length:
            break
        whole += rest[:length]
        body = rest[length + 2 :]
    return bytes(whole)


class Marks(HTMLParser):
    """Finds in a page what its script would: the attributes of `#main`, and the forms."""

    def __init__(self) -> None:
        super().__init__()
        self.main: dict[str, str] = {}
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if found.get("id") == "main":
            self.main = found
        elif tag == "form":
            self.forms.append(Form(found.get("action", "")))
        elif tag in {"input", "textarea"} and "name" in found and self.forms:
            self.forms[-1].fields[found["name"]] = found.get("value", "")
