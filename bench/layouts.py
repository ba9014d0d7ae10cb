"""The layouts of the search index that docs/decisions/0002-search-index.md compares, as SQL.

gin, gin-fast: every key in the row under one GIN index (fastupdate off, on). narrow: every key a
row of index_token and none in the resource. both: keys in the row without GIN, and every key in
index_token. seek: keys in the row without GIN, and one key a value in index_token.
"""

from dataclasses import dataclass

BASE = """
CREATE TABLE resource (rid bigint, type text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL,
  version int NOT NULL, last_updated timestamptz NOT NULL, deleted bool NOT NULL DEFAULT false,
  patient text COLLATE "C", keys bigint[] NOT NULL, body text);
CREATE TABLE resource_version (rid bigint, version int, type text COLLATE "C" NOT NULL,
  last_updated timestamptz NOT NULL, patient text COLLATE "C", body text);
CREATE TABLE index_reference (rid bigint, param int, target text COLLATE "C");
CREATE TABLE index_date (rid bigint, param int, lo timestamptz NOT NULL, hi timestamptz NOT NULL);
CREATE TABLE index_string (rid bigint, param int, folded text COLLATE "C", exact text COLLATE "C");
CREATE TABLE seek (key bigint NOT NULL, rid bigint NOT NULL);
"""
BASE_INDEXES = """
ALTER TABLE resource ADD PRIMARY KEY (rid);
CREATE UNIQUE INDEX resource_type_id ON resource (type, id);
CREATE INDEX resource_patient ON resource (patient, type, last_updated);
CREATE INDEX resource_last_updated ON resource (type, last_updated, rid);
ALTER TABLE resource_version ADD PRIMARY KEY (rid, version);
CREATE INDEX resource_version_changes ON resource_version (type, last_updated, rid, version);
CREATE INDEX resource_version_system ON resource_version (last_updated, rid, version);
ALTER TABLE index_reference ADD PRIMARY KEY (rid, param, target);
CREATE INDEX index_reference_target ON index_reference (target, param, rid);
CREATE INDEX index_date_rid ON index_date (rid, param);
CREATE INDEX index_date_lo ON index_date (param, lo, rid);
CREATE INDEX index_date_hi ON index_date (param, hi, rid);
CREATE INDEX index_string_rid ON index_string (rid, param);
CREATE INDEX index_string_folded ON index_string (param, folded, rid);
"""
TOKEN_INDEXES = """
ALTER TABLE index_token ADD PRIMARY KEY (key, rid);
CREATE INDEX index_token_rid ON index_token (rid);
ALTER TABLE index_token ALTER key SET STATISTICS 2000;
"""
EVERY_KEY = "CREATE TABLE index_token AS SELECT unnest(keys) AS key, rid FROM resource;"
EVERY_KEY += "ALTER TABLE index_token ALTER key SET NOT NULL, ALTER rid SET NOT NULL;"
GIN = "CREATE INDEX resource_keys ON resource USING gin (keys) WITH (fastupdate = {});"
GIN += "ALTER TABLE resource ALTER keys SET STATISTICS 1000;"


@dataclass(frozen=True, slots=True)
class Layout:
    """What a layout adds to BASE, how a row is written and how one token is asked for."""

    name: str
    create: str
    drop: str
    tokens: str
    """Which keys of a row go to index_token: none, all or seeks."""
    in_row: bool = True

    @property
    def insert(self) -> str:
        """Insert resources with version and index rows: one statement, arrays in."""
        token = "" if self.tokens == "none" else TOKEN_ROWS
        return INSERT.format(token=token)

    @property
    def update(self) -> str:
        """Write the next version of one resource and whatever of its index rows changed."""
        token = {"none": "", "all": TOKEN_CHANGES, "seeks": TOKEN_CHANGES}[self.tokens]
        return UPDATE.format(token=TOKEN_DIFF if not self.in_row else token)

    def matching(self, alias: str = "r") -> str:
        """The condition that a resource carries key $2, for a search in one patient's record."""
        if self.in_row:
            return f"{alias}.keys @> ARRAY[$2::bigint]"
        return f"EXISTS (SELECT 1 FROM index_token t WHERE t.key = $2 AND t.rid = {alias}.rid)"


LAYOUTS = (
    Layout(
        "seek",
        "ALTER TABLE seek RENAME TO index_token;" + TOKEN_INDEXES,
        "ALTER TABLE index_token DROP CONSTRAINT index_token_pkey; DROP INDEX index_token_rid;"
        "ALTER TABLE index_token RENAME TO seek;",
        "seeks",
    ),
    Layout("both", EVERY_KEY + TOKEN_INDEXES, "", "all"),
    Layout("narrow", "", "DROP TABLE index_token", "all", in_row=False),
    Layout("gin", GIN.format("off"), "DROP INDEX resource_keys", "none"),
    Layout("gin-fast", GIN.format("on"), "DROP INDEX resource_keys", "none"),
)

INSERT = """
WITH head AS (
  INSERT INTO resource (rid, type, id, version, last_updated, patient, keys, body)
  SELECT rid, type, id, 1, stamp, patient, keys::bigint[], body
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[],
    $7::text[]) AS n(rid, type, id, stamp, patient, keys, body)),
version AS (
  INSERT INTO resource_version (rid, version, type, last_updated, patient, body)
  SELECT rid, 1, type, stamp, patient, body
  FROM unnest($1::bigint[], $2::text[], $4::timestamptz[], $5::text[], $7::text[])
    AS n(rid, type, stamp, patient, body)),
reference AS (INSERT INTO index_reference
  SELECT * FROM unnest($8::bigint[], $9::int[], $10::text[])),
dates AS (INSERT INTO index_date
  SELECT * FROM unnest($11::bigint[], $12::int[], $13::timestamptz[], $14::timestamptz[])),
strings AS (INSERT INTO index_string
  SELECT rid, param, folded, folded
  FROM unnest($15::bigint[], $16::int[], $17::text[]) AS n(rid, param, folded)){token}
SELECT 1
"""
TOKEN_ROWS = """,
token AS (INSERT INTO index_token (key, rid) SELECT * FROM unnest($18::bigint[], $19::bigint[]))"""

UPDATE = """
WITH head AS (
  UPDATE resource SET version = version + 1, last_updated = $2, keys = $3, body = $4
  WHERE rid = $1 RETURNING rid, version, type, patient),
version AS (
  INSERT INTO resource_version (rid, version, type, last_updated, patient, body)
  SELECT rid, version, type, $2, patient, $4 FROM head){token}
SELECT version FROM head
"""
TOKEN_CHANGES = """,
gone AS (DELETE FROM index_token WHERE rid = $1 AND key = ANY($5::bigint[])),
come AS (INSERT INTO index_token (key, rid) SELECT k, $1 FROM unnest($6::bigint[]) AS k)"""
TOKEN_DIFF = """,
gone AS (DELETE FROM index_token WHERE rid = $1 AND key <> ALL($5::bigint[])),
come AS (INSERT INTO index_token (key, rid) SELECT k, $1 FROM unnest($5::bigint[]) AS k
  ON CONFLICT DO NOTHING)"""
SIDE_REWRITE = """
WITH a AS (DELETE FROM index_reference WHERE rid = $1),
b AS (DELETE FROM index_date WHERE rid = $1) SELECT 1
"""
SIDE_INSERT = """
WITH a AS (INSERT INTO index_reference SELECT $1, * FROM unnest($2::int[], $3::text[])),
b AS (INSERT INTO index_date
  SELECT $1, * FROM unnest($4::int[], $5::timestamptz[], $6::timestamptz[])) SELECT 1
"""
