-- The schema as the SQL files beside this folder make it in SQLite, with its number; their comments say what
-- the tables are for. Text is compared by its code points, as SQLite does, whatever the database's locale.
CREATE TABLE documents (
    kind text COLLATE "C" NOT NULL,
    key  text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (kind, key)
);

CREATE TABLE journal (
    execution text COLLATE "C" NOT NULL,
    seq       bigint NOT NULL,
    facts     bytea NOT NULL,
    PRIMARY KEY (execution, seq)
);

CREATE TABLE executions (
    execution  text COLLATE "C" PRIMARY KEY,
    pipeline   text COLLATE "C" NOT NULL,
    role       text COLLATE "C" NOT NULL,
    status     text COLLATE "C" NOT NULL,
    reason     text COLLATE "C",
    started    double precision NOT NULL,
    metadata   bytea NOT NULL,
    definition text COLLATE "C" NOT NULL
);
CREATE INDEX executions_pipeline ON executions (pipeline, started, execution);

CREATE TABLE definitions (
    digest text COLLATE "C" PRIMARY KEY,
    text   text COLLATE "C" NOT NULL
);

CREATE TABLE tokens (
    token     text COLLATE "C" PRIMARY KEY,
    execution text COLLATE "C" NOT NULL,
    step      text COLLATE "C" NOT NULL,
    attempt   bigint NOT NULL,
    issued    double precision NOT NULL,
    queue_url text COLLATE "C" NOT NULL,
    arguments bytea NOT NULL,
    closed    double precision
);
CREATE INDEX tokens_execution ON tokens (execution, step, attempt);
CREATE INDEX tokens_waiting ON tokens (issued) WHERE closed IS NULL;

CREATE TABLE request_tokens (
    scope    text COLLATE "C" NOT NULL,
    token    text COLLATE "C" NOT NULL,
    request  text COLLATE "C" NOT NULL,
    answer   bytea NOT NULL,
    recorded double precision NOT NULL,
    PRIMARY KEY (scope, token)
);
CREATE INDEX request_tokens_recorded ON request_tokens (recorded);

CREATE TABLE messages (
    seq      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue    text COLLATE "C" NOT NULL,
    id       text COLLATE "C" NOT NULL,
    body     text COLLATE "C" NOT NULL,
    envelope bytea NOT NULL,
    sent     double precision NOT NULL,
    visible  double precision NOT NULL,
    received bigint NOT NULL DEFAULT 0,
    first    double precision,
    group_id text COLLATE "C"
);
CREATE INDEX messages_ready ON messages (queue, visible, sent);
CREATE INDEX messages_group ON messages (queue, group_id, seq) WHERE group_id IS NOT NULL;
CREATE INDEX messages_fifo_sent ON messages (queue, sent) WHERE group_id IS NOT NULL;

CREATE TABLE deduplications (
    queue   text COLLATE "C" NOT NULL,
    scope   text COLLATE "C" NOT NULL,
    dedup   text COLLATE "C" NOT NULL,
    answer  bytea NOT NULL,
    expires double precision NOT NULL,
    PRIMARY KEY (queue, scope, dedup)
);
CREATE INDEX deduplications_expires ON deduplications (expires);

CREATE TABLE objects (
    bucket   text COLLATE "C" NOT NULL,
    key      text COLLATE "C" NOT NULL,
    inode    bigint NOT NULL,
    mtime    bigint NOT NULL,
    size     bigint NOT NULL,
    etag     text COLLATE "C" NOT NULL,
    metadata bytea NOT NULL,
    pending  bigint NOT NULL,
    PRIMARY KEY (bucket, key, inode)
);
CREATE INDEX objects_markers ON objects (bucket, key) WHERE inode = 0;

CREATE TABLE log_events (
    seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    log_group text COLLATE "C" NOT NULL,
    stream    text COLLATE "C" NOT NULL,
    at        bigint NOT NULL,
    ingested  bigint NOT NULL,
    message   text COLLATE "C" NOT NULL
);
CREATE INDEX log_events_group ON log_events (log_group, at, seq);
CREATE INDEX log_events_stream ON log_events (log_group, stream, at, seq);

CREATE TABLE tasks (
    kind     text COLLATE "C" NOT NULL,
    key      text COLLATE "C" NOT NULL,
    body     bytea NOT NULL,
    due      double precision,
    failures bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, key)
);
CREATE INDEX tasks_due ON tasks (kind, due, key) WHERE due IS NOT NULL;

-- What statements call and PostgreSQL has under another name.
CREATE FUNCTION instr(text, text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT strpos($1, $2)';
CREATE FUNCTION instr(bytea, bytea) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT position($2 IN $1)';
CREATE FUNCTION max(double precision, double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT greatest($1, $2)';
