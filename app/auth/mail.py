"""Mail to people: by SMTP where a server for it is set, otherwise into a folder as .eml files."""

import asyncio
import os
import re
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from app.fhir.ids import new_id
from app.settings import Settings, is_loopback

SUBMISSION = 587
TIMEOUT = 20
"""Seconds that a mail server may take for each answer."""

ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}")
"""https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address"""


class MailFailed(Exception):
    """The mail was not taken; nothing about its receiver is told."""


@dataclass(frozen=True, slots=True)
class Message:
    """A mail in plain text, to one address."""

    to: str
    subject: str
    text: str


class Sender(Protocol):
    """What takes a mail on its way."""

    async def send(self, message: Message) -> None:
        """Returns when the mail was taken. Raises MailFailed."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """A folder that only its owner reads, a file for each mail."""

    folder: Path
    origin: str

    async def send(self, message: Message) -> None:
        """Write the file, whole or not at all. Raises MailFailed."""
        await asyncio.to_thread(self._write, message)

    def _write(self, message: Message) -> None:
        name = f"{formatdate().partition(', ')[2].replace(' ', '-').replace(':', '')}-{new_id()}"
        part, file = self.folder / f".{name}", self.folder / f"{name}.eml"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(part, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
                out.write(bytes(_composed(message, self.origin)))
            part.rename(file)
        except OSError as error:
            raise MailFailed("the outbox cannot be written") from error


@dataclass(frozen=True, slots=True)
class SMTP:
    """A mail server: smtps:// speaks TLS at once, smtp:// must be able to start it.

    https://www.rfc-editor.org/rfc/rfc8314#section-3.3, https://www.rfc-editor.org/rfc/rfc3207
    """

    url: str
    origin: str
    context: ssl.SSLContext

    async def send(self, message: Message) -> None:
        """Hand the mail to the server. Raises MailFailed."""
        await asyncio.to_thread(self._hand_over, message)

    def _hand_over(self, message: Message) -> None:
        parts = urlsplit(self.url)
        try:
            with self._connected() as server:
                self._secure(server)
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.send_message(_composed(message, self.origin))
        except (OSError, smtplib.SMTPException) as error:
            raise MailFailed(f"the mail server did not take it: {type(error).__name__}") from error

    def _connected(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme == "smtps":
            port = parts.port or smtplib.SMTP_SSL_PORT
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=self.context)
        return smtplib.SMTP(host, parts.port or SUBMISSION, timeout=TIMEOUT)

    def _secure(self, server: smtplib.SMTP) -> None:
        """A link in the clear is a password in the clear; within this machine nothing is."""
        parts = urlsplit(self.url)
        server.ehlo_or_helo_if_needed()
        is_here = is_loopback(parts.hostname or "")
        if parts.scheme == "smtp" and (server.has_extn("starttls") or not is_here):
            server.starttls(context=self.context)


def sender_of(settings: Settings) -> Sender:
    """The sender that the settings name."""
    if settings.smtp_url:
        return SMTP(settings.smtp_url, settings.mail_from, ssl.create_default_context())
    return Outbox(settings.data_dir / "outbox", settings.mail_from)


def is_address(text: str) -> bool:
    """Whether mail could go there."""
    return ADDRESS.fullmatch(text) is not None


def _composed(message: Message, origin: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = origin, message.to, message.subject
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=origin.rpartition("@")[2])
    # RFC 3834 5: nobody is away from a mail like this.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text, cte="8bit")
    return mail
