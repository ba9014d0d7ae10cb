"""Create who may ask for a token, and which tokens are void."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE client (
        id TEXT COLLATE "C" NOT NULL,
        name TEXT NOT NULL,
        scope TEXT NOT NULL,
        role TEXT NOT NULL,
        organization TEXT COLLATE "C",
        purpose TEXT,
        auth_method TEXT NOT NULL,
        secret_hash TEXT,
        jwks JSONB,
        jwks_url TEXT,
        redirect_uris TEXT[] DEFAULT '{}' NOT NULL,
        created TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (id)
    )
    """)
    op.execute("""
    CREATE TABLE account (
        username TEXT COLLATE "C" NOT NULL,
        password_hash TEXT NOT NULL,
        fhir_user TEXT COLLATE "C" NOT NULL,
        role TEXT NOT NULL,
        organization TEXT COLLATE "C",
        created TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (username)
    )
    """)
    op.execute("""
    CREATE TABLE signing_key (
        kid TEXT COLLATE "C" NOT NULL,
        alg TEXT NOT NULL,
        jwk JSONB NOT NULL,
        created TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        PRIMARY KEY (kid)
    )
    """)
    op.execute("""
    CREATE TABLE used_assertion (
        issuer TEXT COLLATE "C" NOT NULL,
        jti TEXT COLLATE "C" NOT NULL,
        expires TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (issuer, jti)
    )
    """)
    op.execute("CREATE INDEX ix_used_assertion_expires ON used_assertion (expires)")
    op.execute("""
    CREATE TABLE revoked_token (
        jti TEXT COLLATE "C" NOT NULL,
        expires TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (jti)
    )
    """)
    op.execute("CREATE INDEX ix_revoked_token_expires ON revoked_token (expires)")
    op.execute("""
    CREATE TABLE shared_secret (
        name TEXT COLLATE "C" NOT NULL,
        value BYTEA NOT NULL,
        PRIMARY KEY (name)
    )
    """)


def downgrade() -> None:
    op.execute(
        "DROP TABLE shared_secret, revoked_token, used_assertion, signing_key, account, client"
    )
