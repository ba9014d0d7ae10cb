"""Create what of an account and of a client changes: passwords, second factors, links, limits."""

from alembic import op

revision = "0012"
down_revision = "0011"

OWNED = 'subject TEXT COLLATE "C" NOT NULL REFERENCES account (subject) ON DELETE CASCADE'


def upgrade() -> None:
    _accounts()
    _second_factors()
    _clients()
    op.execute("ALTER TABLE sign_in_session ADD methods TEXT[] DEFAULT '{pwd}' NOT NULL")
    op.execute("ALTER TABLE sign_in_session ADD complete BOOLEAN DEFAULT true NOT NULL")
    op.execute("ALTER TABLE sign_in_session ADD agent TEXT")
    op.execute("ALTER TABLE sign_in_session ADD address TEXT")
    op.execute("CREATE INDEX ix_sign_in_session_username ON sign_in_session (username)")
    op.execute("ALTER TABLE approval ADD methods TEXT[] DEFAULT '{}' NOT NULL")


def _accounts() -> None:
    op.execute(f"""
    CREATE TABLE account_state (
        {OWNED},
        password_hash TEXT,
        email TEXT COLLATE "C",
        locked TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (subject)
    )
    """)
    op.execute("CREATE INDEX ix_account_state_email ON account_state (email)")
    op.execute("""
    CREATE TABLE one_time_link (
        id TEXT COLLATE "C" NOT NULL,
        subject TEXT COLLATE "C" REFERENCES account (subject) ON DELETE CASCADE,
        invitation JSONB,
        expires TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id)
    )
    """)
    op.execute("CREATE INDEX ix_one_time_link_expires ON one_time_link (expires)")


def _second_factors() -> None:
    op.execute(f"""
    CREATE TABLE totp (
        {OWNED},
        secret TEXT NOT NULL,
        confirmed BOOLEAN DEFAULT false NOT NULL,
        last_step BIGINT DEFAULT 0 NOT NULL,
        PRIMARY KEY (subject)
    )
    """)
    op.execute(
        f'CREATE TABLE recovery_code (id TEXT COLLATE "C" NOT NULL, {OWNED}, PRIMARY KEY (id))'
    )
    op.execute("CREATE INDEX ix_recovery_code_subject ON recovery_code (subject)")
    op.execute(f"""
    CREATE TABLE passkey (
        id TEXT COLLATE "C" NOT NULL,
        {OWNED},
        public_key BYTEA NOT NULL,
        sign_count BIGINT NOT NULL,
        name TEXT NOT NULL,
        created TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        last_used TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (id)
    )
    """)
    op.execute("CREATE INDEX ix_passkey_subject ON passkey (subject)")
    op.execute("""
    CREATE TABLE passkey_challenge (
        id TEXT COLLATE "C" NOT NULL,
        expires TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id)
    )
    """)
    op.execute("CREATE INDEX ix_passkey_challenge_expires ON passkey_challenge (expires)")


def _clients() -> None:
    op.execute("""
    CREATE TABLE client_terms (
        client_id TEXT COLLATE "C" NOT NULL,
        secret_expires TIMESTAMP WITH TIME ZONE,
        previous_secret_hash TEXT,
        previous_expires TIMESTAMP WITH TIME ZONE,
        requests_per_minute INTEGER,
        PRIMARY KEY (client_id)
    )
    """)
    op.execute("""
    CREATE TABLE client_usage (
        client_id TEXT COLLATE "C" NOT NULL,
        taken INTEGER NOT NULL,
        expires TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (client_id)
    )
    """)
    op.execute("CREATE INDEX ix_client_usage_expires ON client_usage (expires)")


def downgrade() -> None:
    op.execute("ALTER TABLE approval DROP methods")
    op.execute("DROP INDEX ix_sign_in_session_username")
    for column in ("methods", "complete", "agent", "address"):
        op.execute(f"ALTER TABLE sign_in_session DROP {column}")
    op.execute(
        "DROP TABLE client_usage, client_terms, passkey_challenge, passkey, recovery_code, totp,"
        " one_time_link, account_state"
    )
