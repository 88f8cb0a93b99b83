CREATE TABLE projects (
    name            TEXT NOT NULL PRIMARY KEY,
    git_url         TEXT NOT NULL,
    root            TEXT NOT NULL,
    default_branch  TEXT,
    timeout_secs    INTEGER,
    submodules      INTEGER NOT NULL,
    subprojects     TEXT NOT NULL,             -- JSON, as on the wire
    created_at      INTEGER NOT NULL,          -- milliseconds, as every time here
    updated_at      INTEGER NOT NULL,
    last_claim_at   INTEGER NOT NULL DEFAULT 0 -- projects take turns by it
) STRICT, WITHOUT ROWID;

CREATE INDEX projects_by_place ON projects (git_url, root);

CREATE TABLE jobs (
    seq              INTEGER PRIMARY KEY,      -- the order of queueing
    id               TEXT NOT NULL UNIQUE,
    batch_id         TEXT NOT NULL,
    project          TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
    subproject       TEXT NOT NULL,
    recipe           TEXT NOT NULL,
    status           TEXT NOT NULL,
    git_ref          TEXT NOT NULL,
    sha              TEXT,
    dirty            INTEGER NOT NULL,
    exit_code        INTEGER,
    queued_at        INTEGER NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER,
    findings_count   INTEGER NOT NULL DEFAULT 0,
    findings_new     INTEGER NOT NULL DEFAULT 0,
    findings_fixed   INTEGER NOT NULL DEFAULT 0,
    log_bytes        INTEGER NOT NULL DEFAULT 0,
    log_lines        INTEGER NOT NULL DEFAULT 0,
    runtime          TEXT NOT NULL,
    recipe_snapshot  TEXT NOT NULL,            -- JSON, as on the wire
    token            TEXT,
    error            TEXT,
    retry_of         TEXT,
    not_before       INTEGER,                  -- a try again waits until then
    bound_to         TEXT,                     -- only this runner may take it
    runner           TEXT,                     -- who took it
    cancel_requested INTEGER NOT NULL DEFAULT 0 -- 1 with grace, 2 at once
) STRICT;

CREATE INDEX jobs_by_project ON jobs (project, seq);
CREATE INDEX jobs_by_place   ON jobs (project, subproject, recipe, seq);
CREATE INDEX jobs_by_batch   ON jobs (batch_id, seq);
CREATE INDEX jobs_by_status  ON jobs (status, seq);
CREATE INDEX jobs_by_recipe  ON jobs (recipe, seq);
CREATE INDEX jobs_queue      ON jobs (project, bound_to, seq) WHERE status = 'queued';

-- One index beside the rowid: on a job with many findings, every further one costs more than parsing them does.
CREATE TABLE findings (
    id              INTEGER PRIMARY KEY,
    job             INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    fingerprint     INTEGER NOT NULL,          -- the 64 bits of its 16 digits
    kind            TEXT NOT NULL,
    severity        INTEGER NOT NULL,          -- 2 error, 1 warn, 0 info
    file            TEXT,
    line            INTEGER,
    col             INTEGER,
    end_line        INTEGER,
    code            TEXT NOT NULL,
    message         TEXT NOT NULL,
    suggested_fix   TEXT,
    first_seen_job  TEXT,
    is_new          INTEGER NOT NULL,
    tool            TEXT NOT NULL,
    raw_json        TEXT,
    context_hash    INTEGER,
    created_at      INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX findings_by_job ON findings (job, fingerprint);
