"""A server on loopback that speaks Flickr's JSON, and can be made to fail as servers do."""

from __future__ import annotations

import contextlib
import io
import json
import random
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs

from PIL import Image

KEY = "0123456789abcdef-secret"
MOST_RESULTS = 4000
HTML = b"<!doctype html><title>Sorry</title><p>This is not a picture."
LICENCES: list[dict[str, object]] = [
    {"id": 0, "name": "All Rights Reserved", "url": ""},
    {"id": 1, "name": "BY-NC-SA 2.0", "url": "https://creativecommons.org/licenses/by-nc-sa/2.0/"},
    {"id": "4", "name": "BY 2.0", "url": "https://creativecommons.org/licenses/by/2.0/"},
    {"id": "6", "name": "BY-ND 2.0", "url": "https://creativecommons.org/licenses/by-nd/2.0/"},
    {"id": 7, "name": "No known restrictions", "url": "https://www.flickr.com/commons/usage/"},
    {"id": "9", "name": "CC0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"},
    {"id": "11", "name": "BY 4.0", "url": "https://creativecommons.org/licenses/by/4.0/deed.en"},
    {"id": 15, "name": "BY-ND 4.0", "url": "https://creativecommons.org/licenses/by-nd/4.0/"},
    {"id": 77, "name": "BY-SA 5.0", "url": "https://creativecommons.org/licenses/by-sa/5.0/"},
]


@dataclass
class FakePhoto:
    """width, height: as the search tells them. faults: one for each request, from the words of
    `_send_picture`; after the last the picture comes. lies: found whatever is searched for."""

    id: str
    title: object = "A lake"
    owner: str = "Ailsa"
    owner_id: str = "12345@N00"
    licence: object = "4"
    uploaded: int = 1_500_000_000
    width: int = 80
    height: int = 60
    content: bytes = b""
    faults: list[str] = field(default_factory=list)
    lies: bool = False
    url: str = ""
    media: str = "photo"
    etag: bool = True


def picture(seed: int, width: int = 80, height: int = 60, form: str = "JPEG") -> bytes:
    """A picture file of noise: about a byte a pixel as JPEG."""
    noise = random.Random(seed).randbytes(width * height * 3)
    encoded = io.BytesIO()
    Image.frombytes("RGB", (width, height), noise).save(encoded, form)
    return encoded.getvalue()


class FakeFlickr:
    """Used in a `with`: serves `photos` until it ends.

    asked: (what, Range header, status) of each request. api_faults: bodies or statuses that the
    service answers first. piece_s: seconds between pieces of a picture, of `piece` bytes.
    """

    def __init__(self, photos: Iterable[FakePhoto] = ()) -> None:
        self.photos = {photo.id: photo for photo in photos}
        self.asked: list[tuple[str, str, int]] = []
        self.api_faults: list[tuple[int, bytes]] = []
        self.headers: dict[str, str] = {"Retry-After": "0"}
        self.piece_s = 0.0
        self.piece = 4096
        self.was_asked = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def api(self) -> str:
        return f"{self.address}/services/rest/"

    def __enter__(self) -> FakeFlickr:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, form: dict[str, str]) -> dict[str, Any]:
        """What the service says to a call."""
        if form.get("api_key") != KEY:
            return _fail(100, "Invalid API Key (Key has invalid format)")
        if (form.get("format"), form.get("nojsoncallback")) != ("json", "1"):
            return _fail(111, "Format not found")
        if form["method"] == "flickr.photos.licenses.getInfo":
            return {"licenses": {"license": LICENCES}, "stat": "ok"}
        if form["method"] != "flickr.photos.search":
            return _fail(112, f"Method {form['method']} not found")
        if not form.get("tags") and not form.get("text"):
            return _fail(3, "Parameterless searches have been disabled")
        return {"photos": self._page(form), "stat": "ok"}

    def _page(self, form: dict[str, str]) -> dict[str, object]:
        first, last = int(form["min_upload_date"]), int(form["max_upload_date"])
        licences = form["license"].split(",")
        found = [
            photo
            for photo in self.photos.values()
            if photo.lies or (str(photo.licence) in licences and first <= photo.uploaded <= last)
        ]
        found.sort(key=lambda photo: -photo.uploaded)
        size = min(int(form["per_page"]), 500)
        page = min(int(form["page"]), MOST_RESULTS // size)
        return {
            "page": page,
            "pages": -(-len(found) // size),
            "perpage": size,
            "total": str(len(found)),
            "photo": [self._entry(photo) for photo in found[(page - 1) * size : page * size]],
        }

    def _entry(self, photo: FakePhoto) -> dict[str, object]:
        is_odd = photo.uploaded % 2
        return {
            "id": photo.id,
            "owner": photo.owner_id,
            "ownername": photo.owner,
            "title": {"_content": photo.title} if is_odd else photo.title,
            "license": photo.licence,
            "media": photo.media,
            "dateupload": str(photo.uploaded),
            "datetaken": "2017-07-14 02:40:00",
            "datetakenunknown": is_odd,
            "url_l": f"{self.address}/pictures/small-{photo.id}",
            "width_l": 40,
            "height_l": "30",
            "url_o": photo.url or f"{self.address}/pictures/{photo.id}",
            "width_o": str(photo.width) if is_odd else photo.width,
            "height_o": photo.height,
        }


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a killed client is no news
            super().handle_error(request, client_address)


def _fail(code: int, message: str) -> dict[str, Any]:
    return {"stat": "fail", "code": code, "message": message}


def _handler(fake: FakeFlickr) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            if fake.api_faults:
                status, content = fake.api_faults.pop(0)
            else:
                status, content = 200, json.dumps(fake.answer(form)).encode()
            self._send(
                form.get("method", ""), status, content, {} if status == 200 else fake.headers
            )

        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            photo = fake.photos.get(name)
            if photo is None:
                self._send(name, 404, HTML)
                return
            self._send_picture(photo, photo.faults.pop(0) if photo.faults else "")

        def _send_picture(self, photo: FakePhoto, fault: str) -> None:
            if fault in ("404", "410", "403", "429", "500", "503"):
                self._send(photo.id, int(fault), HTML, fake.headers)
            elif fault == "html":
                self._send(photo.id, 200, HTML, {"Content-Type": "text/html"})
            elif fault.startswith("to "):
                self._send(photo.id, 302, b"", {"Location": fault.removeprefix("to ")})
            else:
                self._send_bytes(photo, fault)

        def _send_bytes(self, photo: FakePhoto, fault: str) -> None:
            content, tag = photo.content, f'"{hash(photo.content) & 0xFFFFFFFF:x}"'
            asked = self.headers.get("Range", "")
            is_same = self.headers.get("If-Range", tag) == tag
            headers = {"ETag": tag, "Accept-Ranges": "bytes"} if photo.etag else {}
            start = int(asked[6:-1]) if asked and is_same and photo.etag else 0
            if start >= len(content):
                headers["Content-Range"] = f"bytes */{len(content)}"
                self._send(photo.id, 416, b"", headers)
                return
            if start:
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            rest = content[start:]
            sent = rest[: len(rest) // 2] if fault == "cut" else rest
            if fault == "short":
                sent = rest = rest[:-9]
            headers["Content-Length"] = str(len(rest))
            self._send(photo.id, 206 if start else 200, sent, headers)

        def _send(
            self, what: str, status: int, content: bytes, headers: dict[str, str] | None = None
        ) -> None:
            fake.asked.append((what, self.headers.get("Range", ""), status))
            if not what.startswith("flickr."):
                fake.was_asked.set()
            told = {"Content-Length": str(len(content)), **(headers or {})}
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                for name, value in told.items():
                    self.send_header(name, value)
                self.end_headers()
                for start in range(0, len(content), fake.piece):
                    if fake.piece_s and not what.startswith("flickr."):
                        threading.Event().wait(fake.piece_s)
                    self.wfile.write(content[start : start + fake.piece])
                self.wfile.flush()
            self.close_connection = int(told["Content-Length"]) != len(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
