-- Who may ask, by the digest of their bearer.
CREATE TABLE tokens (
    name          TEXT NOT NULL PRIMARY KEY,
    digest        BLOB NOT NULL UNIQUE,        -- SHA-256
    is_admin      INTEGER NOT NULL,
    scope         TEXT NOT NULL,
    ip_cidrs      TEXT NOT NULL,               -- JSON, as on the wire
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    revoked_at    INTEGER,
    last_used_at  INTEGER
) STRICT, WITHOUT ROWID;

-- The name of the token that owns it; null: this machine's terminal.
ALTER TABLE projects ADD COLUMN owner TEXT;
CREATE INDEX projects_by_owner ON projects (owner, name);

-- A project's owner, once more beside each job: lists of one owner's jobs walk an index. A project keeps its owner.
ALTER TABLE jobs ADD COLUMN owner TEXT;
CREATE INDEX jobs_by_owner        ON jobs (owner, seq) WHERE owner IS NOT NULL;
CREATE INDEX jobs_by_owner_status ON jobs (owner, status, seq) WHERE owner IS NOT NULL;
CREATE INDEX jobs_by_owner_recipe ON jobs (owner, recipe, seq) WHERE owner IS NOT NULL;
CREATE INDEX jobs_by_owner_id     ON jobs (owner, id) WHERE owner IS NOT NULL;

-- Values that recipes get and nobody sees.
CREATE TABLE secrets (
    project       TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    sealed        BLOB NOT NULL,               -- nonce, ciphertext and tag; bound to project and name
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (project, name)
) STRICT, WITHOUT ROWID;

-- The batch that a request with an Idempotency-Key came to: who lost the answer may ask again.
CREATE TABLE requests (
    caller        TEXT NOT NULL,               -- a token's name; empty: this machine's terminal
    key           TEXT NOT NULL,
    digest        BLOB NOT NULL,               -- SHA-256 of what was asked for
    project       TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
    batch_id      TEXT NOT NULL,
    notes         TEXT NOT NULL,               -- JSON
    at            INTEGER NOT NULL,
    PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_by_time    ON requests (at);
CREATE INDEX requests_by_project ON requests (project);

-- Who did what to which object, when.
CREATE TABLE events (
    id            INTEGER PRIMARY KEY,
    at            INTEGER NOT NULL,
    actor         TEXT,                        -- a token's name; null: this machine's terminal
    address       TEXT,
    action        TEXT NOT NULL,
    phase         TEXT NOT NULL,               -- done, or started and then completed or failed
    object_kind   TEXT NOT NULL,
    object        TEXT NOT NULL,
    project       TEXT,                        -- no reference: events outlive their project
    detail        TEXT
) STRICT;

CREATE INDEX events_by_object      ON events (object, id);
CREATE INDEX events_by_object_kind ON events (object_kind, id);
CREATE INDEX events_by_actor       ON events (actor, id) WHERE actor IS NOT NULL;
CREATE INDEX events_by_project     ON events (project, id) WHERE project IS NOT NULL;

CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT raise(ABORT, 'events are only added'); END;
CREATE TRIGGER events_last BEFORE DELETE ON events BEGIN SELECT raise(ABORT, 'events are only added'); END;
