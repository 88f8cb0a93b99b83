-- What a project's people chose to see no more. Its finding may be called otherwise by now: lines move.
CREATE TABLE suppressions (
    id            INTEGER PRIMARY KEY,
    project       TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
    subproject    TEXT,                        -- with the recipe, where the finding has no file
    recipe        TEXT,
    fingerprint   INTEGER NOT NULL,            -- what the finding is called now
    ignored_as    INTEGER NOT NULL,            -- what it was called then
    context_hash  INTEGER,
    kind          TEXT NOT NULL,
    file          TEXT,
    line          INTEGER,
    code          TEXT NOT NULL,
    message       TEXT NOT NULL,
    reason        TEXT NOT NULL,
    until         INTEGER,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE INDEX suppressions_by_project ON suppressions (project, fingerprint);

-- Beside the findings, not in them: few are ignored, and their rows are long.
CREATE TABLE ignored (
    finding       INTEGER PRIMARY KEY REFERENCES findings (id) ON DELETE CASCADE,
    suppression   INTEGER REFERENCES suppressions (id) ON DELETE SET NULL,
    rule_reason   TEXT,                        -- of crafting.toml, as it was when the job was made
    rule_until    INTEGER
) STRICT;

CREATE INDEX ignored_by_suppression ON ignored (suppression) WHERE suppression IS NOT NULL;

ALTER TABLE projects ADD COLUMN ignores TEXT NOT NULL DEFAULT '[]'; -- JSON, as on the wire
