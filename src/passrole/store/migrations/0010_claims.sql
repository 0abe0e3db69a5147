-- Servers that share the database. A number is never given twice: it is the fencing number of its server's work.
CREATE TABLE nodes (
    number INTEGER PRIMARY KEY,
    name   TEXT    NOT NULL,          -- for people: host and process
    gone   INTEGER NOT NULL DEFAULT 0 -- 1: what it does from now on does not count
) WITHOUT ROWID;

-- Which server does what: an execution, a job, a step of EMR, an endpoint. What has no row is nobody's.
CREATE TABLE claims (
    kind TEXT    NOT NULL,
    key  TEXT    NOT NULL,
    node INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX claims_node ON claims (node, kind, key);
