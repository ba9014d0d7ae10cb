"""Every setting of the server, read from ISP_* environment variables once and then passed on."""

import ipaddress
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

FHIR_PATH = "/fhir"
SERVICE_ROLE = "isp_service"


class Settings(BaseSettings):
    """What an operator may choose; docs/settings.md is generated from it.

    Raises ValidationError (a ValueError) for a combination that would be only half secure.
    """

    model_config = SettingsConfigDict(env_prefix="ISP_", frozen=True, extra="forbid")

    database_url: str = Field(
        default="",
        description="PostgreSQL 15 or later, `postgresql://user:password@host/name`. "
        "Empty: a private PostgreSQL under `ISP_DATA_DIR` is started and stopped with the server.",
    )
    database_role: str = Field(
        default=SERVICE_ROLE,
        pattern=r"^[a-z_][a-z0-9_]{0,62}$|^$",
        description="PostgreSQL role the server works as; `isp migrate` makes it and grants it "
        "what it needs. Empty: it works as the user of `ISP_DATABASE_URL`, who owns the tables.",
    )
    database_connections: int = Field(
        default=12, ge=4, le=200, description="Database connections of one worker process, at most."
    )
    statement_timeout: int = Field(
        default=30, ge=1, description="Seconds after which the database gives up on a statement."
    )
    data_dir: Path = Field(
        default=Path("data"),
        description="Folder for the files of the private PostgreSQL, and for mails not sent.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port to listen on.")
    base_url: str = Field(
        default="",
        description="Public FHIR base URL, ending in `/fhir`; the OAuth issuer and the audience of "
        "tokens follow from it. Empty: made of host and port, for a loopback host only.",
    )
    allow_http: bool = Field(
        default=False,
        description="Serve without TLS although host or base URL is not loopback, where http is "
        "always allowed.",
    )
    workers: int = Field(default=1, ge=1, le=64, description="Worker processes.")
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="Addresses whose X-Forwarded-* headers are believed, comma-separated.",
    )
    audit: Literal["sync", "async"] = Field(
        default="sync",
        description="`sync`: the AuditEvent of a read is durable before its bytes leave. "
        "`async`: it follows within a second and is lost if the process is killed.",
    )
    references: Literal["strict", "lenient"] = Field(
        default="strict",
        description="`strict`: a write that refers to a resource which does not exist, or which "
        "the caller may not see, is refused. `lenient`: it is accepted.",
    )
    profiles: Literal["strict", "warn", "off"] = Field(
        default="warn",
        description="What is done with a resource that breaks a profile it claims in meta.profile. "
        "`strict`: the write is refused. `warn`: it is accepted, and whoever prefers an "
        "OperationOutcome is told. `off`: it is not checked.",
    )
    update_as_create: bool = Field(
        default=False,
        description="Whether any client may create a resource by PUT to an id of its choice; "
        "the role operator always may. Who chooses ids is told which are taken, also by what is "
        "hidden.",
    )
    conditional_delete: Literal["single", "multiple"] = Field(
        default="single",
        description="What `DELETE [type]?…` does with more than one match. `single`: it is "
        "refused. `multiple`: all are deleted.",
    )
    max_body: int = Field(
        default=10_000_000, ge=1_000, description="Bytes of a request body, at most; 413 above."
    )
    max_entries: int = Field(
        default=5_000, ge=1, description="Entries of a batch or transaction Bundle, at most."
    )
    page_size: int = Field(
        default=50, ge=1, description="Matches on a search or history page without `_count`."
    )
    max_page_size: int = Field(
        default=1_000, ge=1, description="Matches on a page, at most, whatever `_count` says."
    )
    access_token_lifetime: int = Field(
        default=300, ge=30, le=3600, description="Seconds an access token is valid."
    )
    clock_minutes: int = Field(
        default=60,
        ge=0,
        description="Every how many minutes a server schedules missing reviews and renewals and "
        "marks what is overdue or unanswered; 0 for never (then run `isp clock`).",
    )
    app_token_lifetime: int = Field(
        default=3600,
        ge=30,
        le=3600,
        description="Seconds an access token is valid that a person approved for an app.",
    )
    metrics: Literal["local", "operator", "open"] = Field(
        default="local",
        description="Who reads `/metrics`. `operator`: whoever sends an access token of that role, "
        "as a Prometheus with `oauth2` does. `local`: also callers on this machine, while "
        "`ISP_BASE_URL` is on it. `open`: everybody; then guard it in the proxy.",
    )
    even_milliseconds: int = Field(
        default=4,
        ge=0,
        le=1000,
        description="An answer that shows nothing about anybody is sent after this time, or twice, "
        "four times, … as long, so that what is hidden takes as long as what is not there; 0: at "
        "once.",
    )
    brands: str = Field(
        default="",
        pattern=r"^(\S+\|\S+( +\S+\|\S+)*)?$",
        description="Identifiers, `system|value` separated by blanks, of the Organizations that are"
        " published for apps to find this server by (SMART User Access Brands); the first is the"
        " primary one. Empty: none is published.",
    )
    external_issuers: str = Field(
        default="",
        description="JSON file that names other authorization servers, whose access tokens are "
        "accepted here or with which people may sign in; docs/external-issuers.md.",
    )
    asynchronous_hours: int = Field(
        default=24,
        ge=1,
        le=720,
        description="Hours for which the answer to a request with `Prefer: respond-async` is kept.",
    )
    smtp_url: str = Field(
        default="",
        pattern=r"^(smtps?://[^\s/?#]+)?$",
        description="Mail server, `smtps://user:password@host:465`, or `smtp://…:587` which must "
        "offer STARTTLS. Empty: mails are written to `outbox/` in `ISP_DATA_DIR`.",
    )
    mail_from: str = Field(
        default="isp-fhir@localhost",
        pattern=r"^[^\s@<>]+@[^\s@<>]+$",
        description="Address that mails come from.",
    )
    second_factor_roles: str = Field(
        default="operator,privacy-officer",
        pattern=r"^([a-z-]+(,[a-z-]+)*)?$",
        description="Roles that cannot sign in without a passkey, or a code besides the password; "
        "comma-separated. Other roles are asked only if they have set it up.",
    )
    cors_origins: str = Field(
        default="*",
        description="Origins whose browser apps may call, comma-separated; `*` for any. "
        "Credentials are never taken from cookies.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe messages that are logged."
    )
    log_format: Literal["plain", "json"] = Field(
        default="plain", description="One line a message for people, or one JSON object a line."
    )

    @model_validator(mode="before")
    @classmethod
    def _derive_base_url(cls, values: dict[str, Any]) -> dict[str, Any]:
        """A server on loopback needs no base URL: it is where it listens."""
        if values.get("base_url"):
            return values
        host = values.get("host", cls.model_fields["host"].default)
        port = values.get("port", cls.model_fields["port"].default)
        if not is_loopback(host):
            raise ValueError("ISP_BASE_URL is needed when ISP_HOST is not a loopback address")
        name = f"[{host}]" if ":" in host else host
        return values | {"base_url": f"http://{name}:{port}{FHIR_PATH}"}

    @model_validator(mode="after")
    def _refuse_half_secure(self) -> Self:
        """https, or on purpose not; one base URL that issuer and audience can follow from."""
        url = urlsplit(self.base_url)
        if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
            raise ValueError("ISP_BASE_URL must be an absolute http(s) URL without query")
        if not url.path.endswith(FHIR_PATH):
            raise ValueError(f"ISP_BASE_URL must end in {FHIR_PATH}")
        local = is_loopback(url.hostname) and is_loopback(self.host)
        if url.scheme == "http" and not (local or self.allow_http):
            raise ValueError(
                "tokens and health records would travel in clear text: use an https ISP_BASE_URL "
                "(TLS ends at the proxy), or set ISP_ALLOW_HTTP=true in a closed network"
            )
        if self.page_size > self.max_page_size:
            raise ValueError("ISP_PAGE_SIZE is larger than ISP_MAX_PAGE_SIZE")
        return self

    @property
    def issuer(self) -> str:
        """The OAuth issuer: the base URL without `/fhir`."""
        return self.base_url.removesuffix(FHIR_PATH)

    @property
    def second_factors(self) -> frozenset[str]:
        """The roles that need a second factor."""
        return frozenset(filter(None, self.second_factor_roles.split(",")))

    def environment(self) -> dict[str, str]:
        """These settings as ISP_* variables, for worker processes."""
        return {f"ISP_{name.upper()}": str(value) for name, value in self.model_dump().items()}


def is_loopback(host: str) -> bool:
    """Whether a host name or address never leaves this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def documentation() -> str:
    """docs/settings.md."""
    rows = [
        f"| `ISP_{name.upper()}` | {_default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    head = "# Settings\n\nGenerated by `isp settings`; every setting is an environment variable.\n"
    return "\n".join([head, "| variable | default | meaning |", "|---|---|---|", *rows, ""])


def _default(value: object) -> str:
    return "" if value == "" else f"`{str(value).lower() if isinstance(value, bool) else value}`"
