-- Documents of every service that are few and read by name: roles, functions, queues, pipelines.
CREATE TABLE documents (
    kind TEXT NOT NULL,
    key  TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;

-- What happened to each execution, in order. The primary key is the only concurrency control:
-- whoever appends seq n+1 first wins.
CREATE TABLE journal (
    execution TEXT    NOT NULL,
    seq       INTEGER NOT NULL,
    fact      BLOB    NOT NULL,
    PRIMARY KEY (execution, seq)
) WITHOUT ROWID;

-- What the engine wants done and nobody has finished. A row goes in the transaction that records
-- what came of it.
CREATE TABLE outbox (
    id        INTEGER PRIMARY KEY,
    execution TEXT NOT NULL,
    command   BLOB NOT NULL
);
CREATE INDEX outbox_execution ON outbox (execution);

-- The executions as lists show them; the journal is the truth.
CREATE TABLE executions (
    execution  TEXT PRIMARY KEY,   -- its ARN
    pipeline   TEXT NOT NULL,      -- the pipeline's ARN
    status     TEXT NOT NULL,
    started    REAL NOT NULL,
    modified   REAL NOT NULL,
    about      BLOB NOT NULL,      -- what StartPipelineExecution was given
    definition TEXT NOT NULL       -- the text's digest, see definitions
) WITHOUT ROWID;
CREATE INDEX executions_pipeline ON executions (pipeline, started);

-- Definition texts by digest: an execution keeps the definition that it started with.
CREATE TABLE definitions (
    digest TEXT PRIMARY KEY,
    text   TEXT NOT NULL
) WITHOUT ROWID;

-- Callback tokens that were issued; a token stays after its answer, so that a second one is told apart.
CREATE TABLE tokens (
    token     TEXT PRIMARY KEY,
    execution TEXT    NOT NULL,
    step      TEXT    NOT NULL,
    attempt   INTEGER NOT NULL,
    issued    REAL    NOT NULL,
    answer    BLOB                 -- NULL while it waits
) WITHOUT ROWID;
CREATE INDEX tokens_execution ON tokens (execution);
CREATE INDEX tokens_waiting ON tokens (issued) WHERE answer IS NULL;

-- The first answer to each client request token, for at-most-once.
CREATE TABLE request_tokens (
    scope    TEXT NOT NULL,
    token    TEXT NOT NULL,
    request  TEXT NOT NULL,        -- digest of the request
    answer   BLOB NOT NULL,
    recorded REAL NOT NULL,
    PRIMARY KEY (scope, token)
) WITHOUT ROWID;

-- Messages of all queues. `seq` is the order of sending.
CREATE TABLE messages (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    queue        TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    body         TEXT    NOT NULL,
    about        BLOB    NOT NULL, -- attributes, sender, digests
    sent         REAL    NOT NULL,
    visible      REAL    NOT NULL, -- not before
    expires      REAL    NOT NULL,
    received     INTEGER NOT NULL DEFAULT 0,
    first        REAL,             -- first received at
    receipt      TEXT,             -- of the newest receive
    group_id     TEXT
);
CREATE INDEX messages_ready ON messages (queue, visible, seq);
CREATE INDEX messages_group ON messages (queue, group_id, seq) WHERE group_id IS NOT NULL;
CREATE INDEX messages_id ON messages (queue, id);

-- What a FIFO queue remembers for five minutes, also of messages that are gone.
CREATE TABLE deduplications (
    queue   TEXT NOT NULL,
    scope   TEXT NOT NULL,
    dedup   TEXT NOT NULL,
    answer  BLOB NOT NULL,
    expires REAL NOT NULL,
    PRIMARY KEY (queue, scope, dedup)
) WITHOUT ROWID;
