"""The web servers of `deploy/` before a real `serve`, as they are shipped but for ports, names and certificates."""

from __future__ import annotations

import contextlib
import datetime
import http.client
import ipaddress
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"  # where Debian keeps nginx
SHORT = "1s"  # instead of the ten seconds a browser has for its headers


def program(name: str) -> str | None:
    return shutil.which(name, path=SBIN)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


class Proxy:
    """One of them, at https://localhost:`port`; `plain` is its port for plain http. `root` is who signed for it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.port, self.plain = free_port(), free_port()
        self.url = f"https://localhost:{self.port}"
        self.root = folder / "root.pem"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, server: int) -> None:
        """Passes on to the port `server`."""
        command, env = (self.nginx if self.name == "nginx" else self.caddy)(server)
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, env={**os.environ, **env}, stdout=log, stderr=log)
        for _tenth in range(300):
            assert self.process.poll() is None, self.said()
            with contextlib.suppress(OSError, http.client.HTTPException), self.connection() as there:
                there.request("GET", "/healthz")
                if there.getresponse().status == 200:
                    return
            threading.Event().wait(0.1)
        raise AssertionError(self.said())

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=30)

    def said(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def nginx(self, server: int) -> tuple[list[str], dict[str, str]]:
        sign_for_localhost(self.root, self.folder / "key.pem")
        changes = {
            "listen 80;": f"listen 127.0.0.1:{self.plain};",
            "listen [::]:80;": "",
            "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
            "listen [::]:443 ssl;": "",
            "/etc/letsencrypt/live/cafe.example/fullchain.pem": str(self.root),
            "/etc/letsencrypt/live/cafe.example/privkey.pem": str(self.folder / "key.pem"),
            "server_name cafe.example;": "server_name localhost;",
            "server 127.0.0.1:8000;": f"server 127.0.0.1:{server};",
            "client_header_timeout   10s;": f"client_header_timeout {SHORT};",
        }
        (self.folder / "cafe.conf").write_text(changed("nginx.conf", changes), encoding="utf-8")
        places = [
            f"{kind}_temp_path {self.folder / kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        ]
        owner = ["user root;"] if os.geteuid() == 0 else []
        around = [*owner, "daemon off;", f"pid {self.folder / 'pid'};", "error_log stderr;", "events {}"]
        access = f"access_log {self.folder / 'access'};"
        inside = ["http {", access, *places, f"include {self.folder / 'cafe.conf'};", "}"]
        main = self.folder / "nginx.conf"
        main.write_text("\n".join([*around, *inside, ""]), encoding="utf-8")
        return [str(program("nginx")), "-e", "stderr", "-p", str(self.folder), "-c", str(main)], {}

    def caddy(self, server: int) -> tuple[list[str], dict[str, str]]:
        own = [
            "{",
            "admin off",
            "local_certs",
            "skip_install_trust",
            f"http_port {self.plain}",
            f"https_port {self.port}",
        ]
        changes = {"\n{\n": "\n" + "\n\t".join([*own, ""]), "read_header 10s": f"read_header {SHORT}"}
        changes["lb_try_duration 15s"] = "lb_try_duration 2m"  # however long a start takes here
        file = self.folder / "Caddyfile"
        file.write_text(changed("Caddyfile", changes), encoding="utf-8")
        home = {"XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder), "HOME": str(self.folder)}
        self.root = self.folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        command = [str(program("caddy")), "run", "--adapter", "caddyfile", "--config", str(file)]
        return command, {**home, "CAFE_ADDRESS": "localhost", "CAFE_SERVER": f"127.0.0.1:{server}"}

    @contextlib.contextmanager
    def connection(self, *, source: str = "127.0.0.1") -> Iterator[http.client.HTTPSConnection]:
        """From the address `source`, by TLS."""
        context = ssl.create_default_context(cafile=str(self.root))
        there = http.client.HTTPSConnection(
            "localhost", self.port, timeout=30, context=context, source_address=(source, 0)
        )
        there._create_connection = lambda _address, *rest: socket.create_connection(("127.0.0.1", self.port), *rest)  # type: ignore[attr-defined]
        with contextlib.closing(there):
            yield there


def changed(name: str, changes: dict[str, str]) -> str:
    """The shipped file with each text replaced, which must stand there."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, f"{name} lacks {old!r}"
        text = text.replace(old, new)
    return text


def sign_for_localhost(certificate: Path, key: Path) -> None:
    """A certificate that signs for itself, for an hour."""
    own = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    signed = (
        x509.CertificateBuilder(name, name, own.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(own, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    key.write_bytes(own.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
