"""An OAuth2 server on loopback that answers as it is told, and remembers what it was asked."""

import json
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl

Answer = tuple[int, dict[str, object]]


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that went away: tests make it do so."""


class TokenServer:
    """Give each request the next of `answers`; a callable gives its answer when it is asked for it."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self.answers: list[Answer | Callable[[], Answer]] = []
        self.forms: list[dict[str, str]] = []
        self.paths: list[str] = []
        self._server = _Quiet(("127.0.0.1", 0), self._handler())
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "https" if certificate else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.forms.append(dict(parse_qsl(body.decode())))
                outer.paths.append(self.path)
                answer = outer.answers.pop(0)
                status, content = answer() if callable(answer) else answer
                written = json.dumps(content).encode()
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", f"{outer.url}/elsewhere")
                self.send_header("Content-Length", str(len(written)))
                self.end_headers()
                self.wfile.write(written)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the library's signature
                """Stay silent."""

        return Handler
