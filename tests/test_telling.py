import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import ValidationError

from player.upkeep.tell_channels import post_webhook, send_mail
from player.upkeep.tell_message import Message, TellingError
from player.upkeep.telling import QUIET_NS, Teller, Watch, channels
from shows.notify_schema import Notify
from shows.schema import ShowError, parse_settings
from shows.yaml_file import parse_yaml_mapping
from tests.night_of_faults import minute_facts

MESSAGE = Message("Ballads", "red", "Red: stills on window-3.", 1_795_000_000_000_000_000)


class Hook(ThreadingHTTPServer):
    """A webhook that answers the codes it is given, the last one for ever; 0: not at all."""

    daemon_threads = True

    def __init__(self, codes: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.codes = codes
        self.taken: list[tuple[str, dict[str, str]]] = []
        self.is_over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook/s3cret"


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.headers["Content-Type"], json.loads(body)))
        code = self.server.codes[0]
        if len(self.server.codes) > 1:
            self.server.codes.pop(0)
        if code == 0:
            self.server.is_over.wait(20)
            return
        self.send_response(code)
        if code in (302, 307):
            self.send_header("Location", self.server.url)
        self.end_headers()

    def do_GET(self) -> None:
        self.server.taken.append(("GET", {}))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def hook() -> Iterator[Callable[[list[int]], Hook]]:
    made: list[Hook] = []

    def make(codes: list[int]) -> Hook:
        server = Hook(codes)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        made.append(server)
        return server

    yield make
    for server in made:
        server.is_over.set()
        server.shutdown()
        server.server_close()


def test_a_webhook_gets_text_show_and_state(hook: Callable[[list[int]], Hook]) -> None:
    server = hook([204])
    post_webhook(server.url, MESSAGE)
    wanted = {"text": "Red: stills on window-3.", "show": "Ballads", "state": "red"}
    assert server.taken == [("application/json", wanted)]


@pytest.mark.parametrize(
    ("code", "may_help"), [(500, True), (429, True), (404, False), (302, False), (307, False)]
)
def test_an_answer_that_is_no_yes(
    hook: Callable[[list[int]], Hook], code: int, may_help: bool
) -> None:
    server = hook([code])
    with pytest.raises(TellingError, match=f"answered {code}") as told:
        post_webhook(server.url, MESSAGE)
    assert told.value.may_help is may_help
    assert len(server.taken) == 1  # a redirect is not followed


def test_a_webhook_that_does_not_answer_ends_in_time(hook: Callable[[list[int]], Hook]) -> None:
    with pytest.raises(TellingError, match="did not answer in time"):
        post_webhook(hook([0]).url, MESSAGE, timeout_s=0.2)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_faults_hold_nothing_of_the_address(tmp_path: Path) -> None:
    port = closed_port()
    urls = [
        f"http://127.0.0.1:{port}/s3cret",
        "file:///etc/passwd?s3cret",
        f"http://127.0.0.1:{port}/s3cret\nX: y",
        "http://127.0.0.1:99999/s3cret",
        "http://s3cret.invalid./",
        "http://[s3cret/",
        "s3cret",
    ]
    for url in urls:
        with pytest.raises(TellingError) as told:
            post_webhook(url, MESSAGE, timeout_s=5)
        assert "s3cret" not in str(told.value)
        with pytest.raises(TellingError) as told:
            send_mail(url.replace("http", "smtp"), ["a@b.example"], MESSAGE, timeout_s=5)
        assert "s3cret" not in str(told.value)


class MailServer:
    """Speaks enough SMTP on loopback: takes mail of one connection after the other."""

    def __init__(self, *, refuse: str = "", offers: tuple[str, ...] = ()) -> None:
        self.refuse, self.offers = refuse, offers
        self.lines: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as file:
                self._talk(file)

    def _talk(self, file: object) -> None:
        def say(text: str) -> None:
            file.write(text.encode() + b"\r\n")  # type: ignore[attr-defined]
            file.flush()  # type: ignore[attr-defined]

        say("220 here")
        in_data = False
        for raw in file:  # type: ignore[attr-defined]
            line = raw.decode().rstrip("\r\n")
            self.lines.append(line)
            if in_data:
                in_data = line != "."
                if not in_data:
                    say("250 taken")
            elif self.refuse and line.upper().startswith(self.refuse):
                say("550 no")
            elif line.upper().startswith("EHLO"):
                say("250-here")
                for offer in self.offers:
                    say(f"250-{offer}")
                say("250 OK")
            elif line.upper().startswith("AUTH"):
                say("235 welcome")
            elif line.upper() == "DATA":
                in_data = True
                say("354 go on")
            elif line.upper() == "QUIT":
                say("221 bye")
                return
            else:
                say("250 OK")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def mail() -> Iterator[Callable[..., MailServer]]:
    made: list[MailServer] = []

    def make(**words: object) -> MailServer:
        made.append(MailServer(**words))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for server in made:
        server.close()


def test_mail_arrives_with_its_words(mail: Callable[..., MailServer]) -> None:
    server = mail()
    to = ["desk@gallery.example", "night@gallery.example"]
    send_mail(f"smtp://127.0.0.1:{server.port}?from=show@gallery.example", to, MESSAGE)
    assert any(line.startswith("mail FROM:<show@gallery.example>") for line in server.lines)
    assert [line for line in server.lines if line.startswith("rcpt")] == [
        "rcpt TO:<desk@gallery.example>",
        "rcpt TO:<night@gallery.example>",
    ]
    assert "Subject: Ballads: red" in server.lines
    assert "Red: stills on window-3." in server.lines
    assert "Date: Wed, 18 Nov 2026 11:06:40 -0000" in server.lines


def test_a_mail_server_that_refuses(mail: Callable[..., MailServer]) -> None:
    for refuse, sentence in (("RCPT", "refuses the addresses"), ("MAIL", "answered 550")):
        server = mail(refuse=refuse)
        with pytest.raises(TellingError, match=sentence) as told:
            send_mail(f"smtp://127.0.0.1:{server.port}", ["a@b.example"], MESSAGE)
        assert not told.value.may_help


def test_a_password_goes_over_an_open_line_to_this_machine_alone(
    mail: Callable[..., MailServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = mail(offers=("AUTH PLAIN",))
    url = f"smtp://me%40x.example:p%3Aw@127.0.0.1:{server.port}"
    send_mail(url, ["a@b.example"], MESSAGE)
    assert any(line.startswith("AUTH PLAIN") for line in server.lines)
    server.lines.clear()
    monkeypatch.setattr("player.upkeep.tell_channels._is_loopback", lambda host: False)
    with pytest.raises(TellingError, match="not sent without"):
        send_mail(url, ["a@b.example"], MESSAGE)
    assert server.lines
    assert not any(line.startswith("AUTH") for line in server.lines)


def test_a_title_with_a_new_line_makes_no_header(mail: Callable[..., MailServer]) -> None:
    server = mail()
    bad = Message("Ballads\nBcc: x@y.example", "red", "x", 0)
    with pytest.raises(TellingError):
        send_mail(f"smtp://127.0.0.1:{server.port}", ["a@b.example"], bad)
    assert not any("Bcc" in line for line in server.lines)


class Way:
    """A channel that fails as often as it is told to."""

    def __init__(self, *, failures: int = 0, may_help: bool = True) -> None:
        self.failures, self.may_help = failures, may_help
        self.attempts = 0
        self.taken: list[Message] = []
        self.is_done = threading.Event()

    def __call__(self, message: Message) -> None:
        self.attempts += 1
        if self.failures:
            self.failures -= 1
            raise TellingError("It is shut.", may_help=self.may_help)
        self.taken.append(message)
        self.is_done.set()


def teller(way: Way, faults: list[str], *, now: list[int] | None = None, **words: object) -> Teller:
    times = now if now is not None else [0]
    return Teller(
        Notify(**words),  # type: ignore[arg-type]
        "Ballads",
        {},
        wall_ns=lambda: times[0],
        on_fault=faults.append,
        ways=[way],
        pauses_s=(0.0, 0.0),
    )


def test_three_attempts_and_then_a_sentence() -> None:
    for failures, attempts, taken in ((2, 3, 1), (3, 3, 0), (99, 3, 0)):
        faults: list[str] = []
        way = Way(failures=failures)
        telling = teller(way, faults)
        telling._send(way, MESSAGE)
        assert (way.attempts, len(way.taken)) == (attempts, taken)
        assert faults == ([] if taken else ["Nobody could be told (red). It is shut."])


def test_what_cannot_help_is_not_tried_again() -> None:
    way = Way(failures=9, may_help=False)
    teller(way, [])._send(way, MESSAGE)
    assert way.attempts == 1


def test_a_message_goes_out_on_the_thread_and_the_end_is_quick() -> None:
    way, faults = Way(), []  # type: ignore[var-annotated]
    telling = teller(way, faults)
    telling.start()
    telling.tell("red", "Red: stills.")
    assert way.is_done.wait(10)
    telling.close()
    telling.close()
    telling.tell("red", "late")
    assert [(message.state, message.text) for message in way.taken] == [("red", "Red: stills.")]
    assert faults == []


def test_ten_minutes_hold_one_message_of_a_state() -> None:
    way, now = Way(), [1_000]
    telling = teller(way, [], now=now)
    for minute in range(11):
        now[0] = 1_000 + minute * QUIET_NS // 10
        telling.tell("red", f"Red {minute}.")
        telling.tell("open", "Open.") if minute == 3 else None
    now[0] = 0
    telling.tell("red", "The clock was set back.")
    telling.start()
    telling.close()
    assert [message.text for message in way.taken] == [
        "Red 0.",
        "Open.",
        "Red 10. (9 more of the kind in between.)",
        "The clock was set back.",
    ]


def test_only_the_occasions_named_are_told() -> None:
    way = Way()
    telling = teller(way, [], on=("red",))
    for state in ("open", "red", "green"):
        telling.tell(state, state)
    telling.start()
    telling.close()
    assert [message.state for message in way.taken] == ["red", "green"]


def test_no_notify_and_a_missing_variable_tell_nobody() -> None:
    faults: list[str] = []
    none = Teller(None, "x", {}, wall_ns=lambda: 0, on_fault=faults.append)
    none.start()
    none.tell("red", "x")
    none.close()
    assert faults == []
    notify = Notify(webhook_env="HOOK", email=("a@b.example",))
    missing = Teller(notify, "x", {}, wall_ns=lambda: 0, on_fault=faults.append)
    missing.start()
    missing.tell("red", "x")
    missing.close()
    assert len(faults) == 2
    assert "environment variable HOOK is not set" in faults[0]
    assert "INSPACE_SMTP is not set" in faults[1]
    found, lacking = channels(notify, {"HOOK": "http://x.example", "INSPACE_SMTP": "smtp://y"})
    assert (len(found), lacking) == (2, [])


def test_telling_to_a_dead_webhook_is_a_warning_without_the_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = f"http://127.0.0.1:{closed_port()}/s3cret"
    telling = Teller(
        Notify(webhook_env="HOOK"), "x", {"HOOK": url}, wall_ns=lambda: 0, pauses_s=(0, 0)
    )
    with caplog.at_level(logging.WARNING):
        telling.start()
        telling.tell("red", "x")
        telling.close()
    assert "Nobody could be told (red). The webhook cannot be reached" in caplog.text
    assert "s3cret" not in caplog.text


def looked(*minutes: dict[str, object], is_restart: bool = False) -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []
    watch = Watch(lambda state, text: told.append((state, text)), is_restart=is_restart)
    for minute in minutes:
        watch.look(minute)
    return told


GOOD = minute_facts()
CLOSED = minute_facts(is_open=False)
STILL = minute_facts(on={"window-3": {"slate": 1800}})
BRIEF = minute_facts(on={"window-3": {"slate": 600, "live": 1200}})
WELL = "Every screen shows what it should."


def test_the_opening_is_told_once_and_not_after_a_restart() -> None:
    assert looked(GOOD, GOOD) == [("open", f"Open. {WELL}")]
    assert looked(GOOD, GOOD, is_restart=True) == []
    assert looked(CLOSED, CLOSED, GOOD, CLOSED, GOOD) == [("open", f"Open. {WELL}")] * 2


def test_red_is_told_when_it_begins_and_when_it_is_over() -> None:
    trouble = "tills in place of moving pictures on window-3."
    assert looked(GOOD, STILL, STILL, BRIEF, STILL)[1:] == [
        ("red", f"Red: s{trouble}"),
        ("green", "No longer red: every screen shows what it should."),
        ("red", f"Red: s{trouble}"),
    ]
    assert looked(STILL) == [("open", f"Open. S{trouble}"), ("red", f"Red: s{trouble}")]


def test_nothing_is_red_behind_closed_doors_nor_in_words_that_are_no_minute() -> None:
    closed_still = minute_facts(on={"window-3": {"slate": 1800}}, is_open=False)
    assert looked(closed_still, {"ticks": "x"}, {}) == []


def test_every_screen_and_stuttering() -> None:
    every = looked(GOOD, minute_facts(sources={"slate": 1800}))[1]
    assert every == ("red", "Red: stills in place of moving pictures on every screen.")
    stutter = looked(GOOD, minute_facts(ticks=1500, dropped=300))[1]
    assert stutter == ("red", "Red: the pictures stutter: 300 frames of a minute were not shown.")


def settings_with(notify: str) -> Notify | None:
    text = (
        "schema_version: 1\ntitle: T\nballads: [a]\nscreens: [{name: s, ballad: a}]\n"
        f"notify: {notify}\n"
    )
    return parse_settings(parse_yaml_mapping(text.encode(), "show.yaml"), "show.yaml").notify


def test_notify_in_a_show_file_with_its_bare_on() -> None:
    assert settings_with("{webhook_env: HOOK, email: desk@gallery.example, on: [red]}") == Notify(
        webhook_env="HOOK", email=("desk@gallery.example",), on=("red",)
    )
    both = settings_with('{email: [a@b.example, c@d.example], "on": [open, red]}')
    assert both is not None
    assert (both.email, both.on) == (("a@b.example", "c@d.example"), ("open", "red"))


@pytest.mark.parametrize(
    ("notify", "sentence"),
    [
        ("{webhook_env: 'https://x.example/T0/s3cret'}", "notify.webhook_env"),
        ("{webhook: HOOK}", "notify.webhook: is not a word this file knows"),
        ("{email: nobody}", "is no e-mail address such as desk@gallery.example"),
        ('{email: "a@b.example\\nBcc: c@d.example"}', "is no e-mail address"),
        ("{on: [amber]}", "notify.on[0]"),
        ("{on: []}", "notify.on"),
        ("{on: red}", "must be a list of open and red"),
        ("[HOOK]", "notify"),
    ],
)
def test_a_wrong_notify_is_a_sentence(notify: str, sentence: str) -> None:
    with pytest.raises(ShowError) as told:
        settings_with(notify)
    assert sentence in str(told.value)


def test_notify_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Notify().on = ()  # type: ignore[misc]
