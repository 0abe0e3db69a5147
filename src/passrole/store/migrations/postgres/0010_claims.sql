-- See SQLite's: servers that share the database, and which of them does what.
CREATE TABLE nodes (
    number bigint PRIMARY KEY,
    name   text COLLATE "C" NOT NULL,
    gone   bigint NOT NULL DEFAULT 0
);
CREATE TABLE claims (
    kind text COLLATE "C" NOT NULL,
    key  text COLLATE "C" NOT NULL,
    node bigint NOT NULL,
    PRIMARY KEY (kind, key)
);
CREATE INDEX claims_node ON claims (node, kind, key);
