"""The two ways out of the house: a webhook and e-mail. Slow, and therefore never in the frame loop.

Nothing of a secret stands in a fault's text: neither a webhook's URL nor a password.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from player.upkeep.tell_message import Message, TellingError
from player.upkeep.wall_time import SECOND_NS

TIMEOUT_S = 10.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect leads to a place that the show file has not named."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def post_webhook(url: str, message: Message, *, timeout_s: float = TIMEOUT_S) -> None:
    """POST `{"text", "show", "state"}` as JSON. Raises TellingError unless answered with 2xx."""
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise TellingError("The webhook's address is no http or https URL.", may_help=False)
    body = {"text": message.text, "show": message.show, "state": message.state}
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        request = urllib.request.Request(
            url,
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "User-Agent": "inspace-ballads"},
            method="POST",
        )
        with opener.open(request, timeout=timeout_s):
            pass
    except urllib.error.HTTPError as fault:
        fault.close()
        raise TellingError(
            f"The webhook answered {fault.code}.",
            may_help=fault.code >= 500 or fault.code in (408, 429),
        ) from None
    except (OSError, http.client.HTTPException, ValueError) as fault:
        raise TellingError(f"The webhook cannot be reached: {_reason(fault)}.") from None


def send_mail(
    server: str, to: Sequence[str], message: Message, *, timeout_s: float = TIMEOUT_S
) -> None:
    """Mail by a server given as a URL: `smtp://user:password@host:587?from=address` or `smtps:`.

    With smtp the line is encrypted when the server offers it; a password is sent over an encrypted
    line only, or to this machine itself. Raises TellingError.
    """
    parts = _split(server)
    if parts is None or parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise TellingError(
            "The mail server's address is none; write it as in smtp://mail.example:587.",
            may_help=False,
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    sender = parse_qs(parts.query).get("from", [user if "@" in user else to[0]])[0]
    try:
        mail = _mail(sender, to, message)
        with _connected(parts, timeout_s) as smtp:
            is_private = parts.scheme == "smtps" or _is_loopback(parts.hostname)
            if parts.scheme == "smtp":
                smtp.ehlo()
                if smtp.has_extn("starttls"):
                    smtp.starttls(context=ssl.create_default_context())
                    is_private = True
            if user and not is_private:
                raise TellingError(
                    "The mail server offers no encryption, and the password is not sent without.",
                    may_help=False,
                )
            if user:
                smtp.login(user, password)
            smtp.send_message(mail)
    except smtplib.SMTPAuthenticationError:
        raise TellingError("The mail server refuses the password.", may_help=False) from None
    except smtplib.SMTPResponseException as fault:
        raise TellingError(
            f"The mail server answered {fault.smtp_code}.", may_help=fault.smtp_code < 500
        ) from None
    except smtplib.SMTPRecipientsRefused:
        raise TellingError("The mail server refuses the addresses.", may_help=False) from None
    except (OSError, ValueError) as fault:  # SMTPException is an OSError
        raise TellingError(f"The mail server cannot be reached: {_reason(fault)}.") from None


def _connected(parts: SplitResult, timeout_s: float) -> smtplib.SMTP:
    host = parts.hostname or ""
    # local_hostname: the default asks the name server, which may take long to fail
    if parts.scheme == "smtps":
        return smtplib.SMTP_SSL(
            host,
            parts.port or 465,
            local_hostname="localhost",
            timeout=timeout_s,
            context=ssl.create_default_context(),
        )
    return smtplib.SMTP(host, parts.port or 25, local_hostname="localhost", timeout=timeout_s)


def _mail(sender: str, to: Sequence[str], message: Message) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = f"{message.show}: {message.state}"
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Date"] = formatdate(message.at_ns / SECOND_NS)
    mail["Message-ID"] = make_msgid(domain="inspace-ballads.invalid")
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text + "\n")
    return mail


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # raises for one that is no number
    except ValueError:
        return None
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reason(fault: Exception) -> str:
    """Why, without a word of the address: errors of some kinds quote it."""
    inner = fault.reason if isinstance(fault, urllib.error.URLError) else fault
    if isinstance(inner, TimeoutError):
        return "it did not answer in time"
    if isinstance(inner, OSError) and inner.errno is not None and inner.strerror:
        return inner.strerror
    return type(inner).__name__
