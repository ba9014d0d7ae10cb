"""Mail goes out by SMTP, outside of this machine under TLS or not at all."""

import asyncio
import ssl
import stat
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_string, policy
from pathlib import Path

import pytest
from cryptography import x509
from pydantic import ValidationError

from app.auth.mail import SMTP, MailFailed, Message, Outbox, sender_of
from app.settings import Settings
from tests.auth.served import certificate

ORIGIN = "plan@server.example"
MESSAGE = Message("ada@mail.example", "Contraseña", "A link:\nhttp://plan.example/x\n.\nBye\n")


@dataclass
class Post:
    """A mail server: what it was told, in which order, and whether under TLS."""

    context: ssl.SSLContext | None
    port: int = 0
    said: list[str] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    is_secure: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 post\r\n")
        while line := (await reader.readline()).decode().strip():
            word = line.partition(" ")[0].upper()
            self.said.append(f"{word} {line.partition(' ')[2]}")
            if word == "EHLO":
                more = "" if self.context is None or self.is_secure else "250-STARTTLS\r\n"
                writer.write(f"250-post\r\n{more}250 AUTH PLAIN\r\n".encode())
            elif word == "STARTTLS" and self.context:
                writer.write(b"220 go on\r\n")
                await writer.start_tls(self.context)
                self.is_secure = True
            elif word == "DATA":
                writer.write(b"354 go on\r\n")
                letter = (await reader.readuntil(b"\r\n.\r\n")).decode()
                self.letters.append(letter.removesuffix(".\r\n").replace("\r\n..", "\r\n."))
                writer.write(b"250 taken\r\n")
            elif word == "RCPT" and "nobody" in line:
                writer.write(b"550 no such person\r\n")
            elif word == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"235 yes\r\n" if word == "AUTH" else b"250 yes\r\n")
        writer.close()


@asynccontextmanager
async def post(context: ssl.SSLContext | None) -> AsyncIterator[Post]:
    office = Post(context)
    server = await asyncio.start_server(office.serve, "127.0.0.1")
    office.port = server.sockets[0].getsockname()[1]
    yield office
    server.close()
    await server.wait_closed()


async def test_mail_goes_under_tls_with_a_name_and_a_password(tmp_path: Path) -> None:
    own, trusting = certificate(tmp_path, x509.DNSName("localhost"))
    async with post(own) as office:
        url = f"smtp://plan%40server:p%3Aw@localhost:{office.port}"
        await SMTP(url, ORIGIN, trusting).send(MESSAGE)
    words = [line.partition(" ")[0] for line in office.said]
    assert words.index("STARTTLS") < words.index("AUTH") < words.index("MAIL")
    [login] = [line for line in office.said if line.startswith("AUTH")]
    assert b64decode(login.rpartition(" ")[2]) == b"\0plan@server\0p:w"
    [letter] = office.letters
    mail = message_from_string(letter, policy=policy.default)
    assert (mail["From"], mail["To"], mail["Subject"]) == (ORIGIN, MESSAGE.to, MESSAGE.subject)
    assert mail["Message-ID"].endswith("@server.example>")
    assert "http://plan.example/x\n.\nBye" in letter.replace("\r\n", "\n")


async def test_a_server_that_cannot_do_tls_gets_no_mail() -> None:
    async with post(None) as office:
        # 0.0.0.0 leads here, but is not known to.
        with pytest.raises(MailFailed):
            await SMTP(
                f"smtp://a:b@0.0.0.0:{office.port}", ORIGIN, ssl.create_default_context()
            ).send(MESSAGE)
    assert not any(line.startswith(("AUTH", "MAIL")) for line in office.said)


async def test_a_server_of_another_name_gets_no_mail(tmp_path: Path) -> None:
    own, trusting = certificate(tmp_path, x509.DNSName("elsewhere.example"))
    async with post(own) as office:
        with pytest.raises(MailFailed):
            await SMTP(f"smtp://localhost:{office.port}", ORIGIN, trusting).send(MESSAGE)
    assert office.letters == []


async def test_a_relay_on_this_machine_needs_no_tls() -> None:
    async with post(None) as office:
        await SMTP(f"smtp://127.0.0.1:{office.port}", ORIGIN, ssl.create_default_context()).send(
            MESSAGE
        )
    assert len(office.letters) == 1


async def test_a_failure_tells_nothing_of_whom_it_was_for() -> None:
    async with post(None) as office:
        sender = SMTP(f"smtp://127.0.0.1:{office.port}", ORIGIN, ssl.create_default_context())
        with pytest.raises(MailFailed) as caught:
            await sender.send(Message("nobody@mail.example", "x", "x"))
    assert "nobody" not in str(caught.value)
    with pytest.raises(MailFailed):
        await sender.send(MESSAGE)


async def test_an_outbox_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file")
    with pytest.raises(MailFailed):
        await Outbox(tmp_path / "outbox", ORIGIN).send(MESSAGE)
    await Outbox(tmp_path / "new", ORIGIN).send(MESSAGE)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_the_settings_choose_the_sender(tmp_path: Path) -> None:
    assert isinstance(sender_of(Settings(data_dir=tmp_path)), Outbox)
    assert isinstance(sender_of(Settings(smtp_url="smtps://a:b@mail.example")), SMTP)
    for wrong in ("http://mail.example", "mail.example", "smtp://", "smtp://a b"):
        with pytest.raises(ValidationError):
            Settings(smtp_url=wrong)
