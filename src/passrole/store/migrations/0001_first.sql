-- Documents of every service that are few and read by name: roles, functions, queues, pipelines.
CREATE TABLE documents (
    kind TEXT NOT NULL,
    key  TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;

-- What happened to each execution, in order, a row for each decision. The primary key is the only
-- concurrency control: whoever appends seq n+1 first wins.
CREATE TABLE journal (
    execution TEXT    NOT NULL,
    seq       INTEGER NOT NULL,    -- from 1
    facts     BLOB    NOT NULL,    -- a JSON array: the input fact and those derived from it
    PRIMARY KEY (execution, seq)
) WITHOUT ROWID;

-- What the engine wants done and nobody has finished. A row goes in the transaction that records
-- what came of it. `key` is never used twice in an execution.
CREATE TABLE outbox (
    execution TEXT NOT NULL,
    key       TEXT NOT NULL,
    command   BLOB NOT NULL,
    PRIMARY KEY (execution, key)
) WITHOUT ROWID;

-- The executions as lists show them; the journal is the truth.
CREATE TABLE executions (
    execution  TEXT PRIMARY KEY,   -- its ARN
    pipeline   TEXT NOT NULL,      -- the pipeline's ARN
    role       TEXT NOT NULL,      -- the ARN of the role it runs as
    status     TEXT NOT NULL,
    reason     TEXT,               -- why it failed
    started    REAL NOT NULL,
    about      BLOB NOT NULL,      -- what lists and descriptions tell beside, see history/executions.py
    definition TEXT NOT NULL       -- the text's digest, see definitions
) WITHOUT ROWID;
CREATE INDEX executions_pipeline ON executions (pipeline, started, execution);

-- Definition texts by digest: an execution keeps the definition that it started with.
CREATE TABLE definitions (
    digest TEXT PRIMARY KEY,
    text   TEXT NOT NULL
) WITHOUT ROWID;

-- Callback tokens that were issued; a token stays when it is closed, so that a second answer is told apart.
CREATE TABLE tokens (
    token     TEXT PRIMARY KEY,
    execution TEXT    NOT NULL,
    step      TEXT    NOT NULL,
    attempt   INTEGER NOT NULL,
    issued    REAL    NOT NULL,
    queue_url TEXT    NOT NULL,
    arguments BLOB    NOT NULL,
    closed    REAL                 -- when its step ended; NULL while it waits
) WITHOUT ROWID;
CREATE INDEX tokens_execution ON tokens (execution, step, attempt);
CREATE INDEX tokens_waiting ON tokens (issued) WHERE closed IS NULL;

-- The first answer to each client request token, for at-most-once.
CREATE TABLE request_tokens (
    scope    TEXT NOT NULL,
    token    TEXT NOT NULL,
    request  TEXT NOT NULL,        -- digest of the request
    answer   BLOB NOT NULL,
    recorded REAL NOT NULL,
    PRIMARY KEY (scope, token)
) WITHOUT ROWID;
CREATE INDEX request_tokens_recorded ON request_tokens (recorded);

-- Messages of all queues. `seq` is the order of sending, and never used twice.
CREATE TABLE messages (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    queue        TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    body         TEXT    NOT NULL,
    about        BLOB    NOT NULL, -- attributes, sender, digests
    sent         REAL    NOT NULL,
    visible      REAL    NOT NULL, -- not before; far away while another of its group comes first
    received     INTEGER NOT NULL DEFAULT 0, -- how often; a receipt counts only for the newest
    first        REAL,             -- first received at
    group_id     TEXT              -- in a FIFO queue
);
CREATE INDEX messages_ready ON messages (queue, visible, sent);
CREATE INDEX messages_group ON messages (queue, group_id, seq) WHERE group_id IS NOT NULL;

-- What a FIFO queue remembers for five minutes, also of messages that are gone: what it answered to
-- a deduplication id (scope: the group, or empty for the queue) or gave to an attempt at receiving.
CREATE TABLE deduplications (
    queue   TEXT NOT NULL,
    scope   TEXT NOT NULL,
    dedup   TEXT NOT NULL,
    answer  BLOB NOT NULL,
    expires REAL NOT NULL,
    PRIMARY KEY (queue, scope, dedup)
) WITHOUT ROWID;
CREATE INDEX deduplications_expires ON deduplications (expires);

-- What is known about the objects of S3 beside their bytes, which are files. A row counts while its
-- file is the one under the key; `pending` until the file is put there. A folder marker has inode 0.
CREATE TABLE objects (
    bucket  TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    inode   INTEGER NOT NULL,
    mtime   INTEGER NOT NULL,      -- nanoseconds
    size    INTEGER NOT NULL,
    etag    TEXT    NOT NULL,
    about   BLOB    NOT NULL,      -- headers, metadata, checksums, tags
    pending INTEGER NOT NULL,
    PRIMARY KEY (bucket, key, inode)
) WITHOUT ROWID;
CREATE INDEX objects_markers ON objects (bucket, key) WHERE inode = 0;

-- Events of CloudWatch Logs, in epoch milliseconds. `log_group` is the group's key.
CREATE TABLE log_events (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    log_group TEXT    NOT NULL,
    stream    TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    ingested  INTEGER NOT NULL,
    message   TEXT    NOT NULL
);
CREATE INDEX log_events_group ON log_events (log_group, at, seq);
CREATE INDEX log_events_stream ON log_events (log_group, stream, at, seq);
