"""Create who signs in elsewhere, and what a client is held to: pushed requests, bound tokens."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("""
    ALTER TABLE client
        ADD require_pushed_authorization_requests BOOLEAN DEFAULT false NOT NULL,
        ADD dpop_bound_access_tokens BOOLEAN DEFAULT false NOT NULL
    """)
    op.execute("""ALTER TABLE approval ADD dpop_jkt TEXT COLLATE "C" """)
    op.execute("""ALTER TABLE authorization_code ADD dpop_jkt TEXT COLLATE "C" """)
    op.execute("""
    CREATE TABLE external_sign_in (
        id TEXT COLLATE "C" NOT NULL,
        browser TEXT COLLATE "C" NOT NULL,
        issuer TEXT COLLATE "C" NOT NULL,
        nonce TEXT NOT NULL,
        code_verifier TEXT NOT NULL,
        request TEXT NOT NULL,
        expires TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id)
    )
    """)
    op.execute("CREATE INDEX ix_external_sign_in_expires ON external_sign_in (expires)")
    op.execute("""
    CREATE TABLE external_identity (
        issuer TEXT COLLATE "C" NOT NULL,
        subject TEXT COLLATE "C" NOT NULL,
        username TEXT COLLATE "C" NOT NULL,
        created TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (issuer, subject)
    )
    """)
    op.execute("CREATE INDEX ix_external_identity_username ON external_identity (username)")


def downgrade() -> None:
    op.execute("DROP TABLE external_identity, external_sign_in")
    op.execute("ALTER TABLE authorization_code DROP dpop_jkt")
    op.execute("ALTER TABLE approval DROP dpop_jkt")
    op.execute(
        "ALTER TABLE client DROP require_pushed_authorization_requests,"
        " DROP dpop_bound_access_tokens"
    )
