"""Mails that tell a person how their sign-in changed: whoever did it, they should know.

https://pages.nist.gov/800-63-4/sp800-63b.html#notification
"""

import logging

from app.auth.account_state import email_of
from app.auth.accounts import Account
from app.auth.authority import Authority
from app.auth.mail import MailFailed, Message
from app.auth.pages import say
from app.storage.database import DatabaseAway

log = logging.getLogger(__name__)


async def notify(authority: Authority, account: Account, what: str, language: str) -> None:
    """Mail the owner of an account that `mail.changed.<what>` happened, if mail can reach them.

    It comes after the change, so what fails is logged and nothing is raised.
    """
    try:
        email = await email_of(authority.database, account.subject)
        if email is None:
            return
        done = say(language, f"mail.changed.{what}")
        words = {"what": done, "username": account.username}
        words |= {"url": f"{authority.issuer}/auth/account"}
        text, subject = (
            say(language, "mail.changed", **words),
            say(language, "mail.changed.subject"),
        )
        await authority.mail.send(Message(email, subject, text))
    except (MailFailed, DatabaseAway) as error:
        log.error("a notice was not sent: %s", type(error).__name__)
