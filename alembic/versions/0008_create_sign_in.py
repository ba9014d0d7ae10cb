"""Create what people sign in with, what they approve, and who asks to be registered."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("""
    ALTER TABLE account ADD subject TEXT COLLATE "C" DEFAULT gen_random_uuid()::text NOT NULL UNIQUE
    """)
    op.execute("""
    CREATE TABLE sign_in_session (
        id TEXT COLLATE "C" NOT NULL,
        username TEXT COLLATE "C" NOT NULL,
        created TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        expires TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id)
    )
    """)
    op.execute("CREATE INDEX ix_sign_in_session_expires ON sign_in_session (expires)")
    op.execute("""
    CREATE TABLE sign_in_throttle (
        key TEXT COLLATE "C" NOT NULL,
        attempts INTEGER NOT NULL,
        expires TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (key)
    )
    """)
    op.execute("CREATE INDEX ix_sign_in_throttle_expires ON sign_in_throttle (expires)")
    op.execute("""
    CREATE TABLE authorization_request (
        id TEXT COLLATE "C" NOT NULL,
        client_id TEXT COLLATE "C" NOT NULL,
        parameters JSONB NOT NULL,
        patient TEXT COLLATE "C",
        expires TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id)
    )
    """)
    op.execute("CREATE INDEX ix_authorization_request_expires ON authorization_request (expires)")
    op.execute("""
    CREATE TABLE launch_context (
        id TEXT COLLATE "C" NOT NULL,
        client_id TEXT COLLATE "C" NOT NULL,
        username TEXT COLLATE "C",
        context JSONB NOT NULL,
        expires TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id)
    )
    """)
    op.execute("CREATE INDEX ix_launch_context_expires ON launch_context (expires)")
    op.execute("""
    CREATE TABLE approval (
        id TEXT COLLATE "C" NOT NULL,
        client_id TEXT COLLATE "C" NOT NULL,
        username TEXT COLLATE "C" NOT NULL,
        session TEXT COLLATE "C" NOT NULL,
        scope TEXT NOT NULL,
        patient TEXT COLLATE "C",
        context JSONB NOT NULL,
        authenticated TIMESTAMP WITH TIME ZONE NOT NULL,
        created TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        last_used TIMESTAMP WITH TIME ZONE,
        ended TIMESTAMP WITH TIME ZONE,
        expires TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id)
    )
    """)
    op.execute("CREATE INDEX ix_approval_username ON approval (username)")
    op.execute("CREATE INDEX ix_approval_expires ON approval (expires)")
    op.execute("""
    CREATE TABLE authorization_code (
        id TEXT COLLATE "C" NOT NULL,
        approval TEXT COLLATE "C" NOT NULL,
        redirect_uri TEXT NOT NULL,
        code_challenge TEXT NOT NULL,
        nonce TEXT,
        created TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        used TIMESTAMP WITH TIME ZONE,
        expires TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id)
    )
    """)
    op.execute("CREATE INDEX ix_authorization_code_expires ON authorization_code (expires)")
    op.execute("""
    CREATE TABLE refresh_token (
        id TEXT COLLATE "C" NOT NULL,
        approval TEXT COLLATE "C" NOT NULL,
        used TIMESTAMP WITH TIME ZONE,
        expires TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (id)
    )
    """)
    op.execute("CREATE INDEX ix_refresh_token_expires ON refresh_token (expires)")
    op.execute("""
    CREATE TABLE client_registration (
        client_id TEXT COLLATE "C" NOT NULL,
        token_hash TEXT COLLATE "C" NOT NULL,
        secret_hash TEXT,
        metadata JSONB NOT NULL,
        requested TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        approved TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (client_id)
    )
    """)


def downgrade() -> None:
    op.execute(
        "DROP TABLE client_registration, refresh_token, authorization_code, approval,"
        " launch_context, authorization_request, sign_in_throttle, sign_in_session"
    )
    op.execute("ALTER TABLE account DROP subject")
