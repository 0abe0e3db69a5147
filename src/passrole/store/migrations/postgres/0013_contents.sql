-- As in SQLite. Archives are compressed already: PostgreSQL need not try.
CREATE TABLE contents (
    digest text COLLATE "C" PRIMARY KEY,
    pieces bigint NOT NULL,
    begun  double precision NOT NULL
);
CREATE TABLE content_pieces (
    digest text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    bytes  bytea NOT NULL,
    PRIMARY KEY (digest, number)
);
ALTER TABLE content_pieces ALTER bytes SET STORAGE EXTERNAL;
CREATE TABLE content_users (
    digest    text COLLATE "C" NOT NULL,
    user_name text COLLATE "C" NOT NULL,
    PRIMARY KEY (digest, user_name)
);
CREATE INDEX content_users_user ON content_users (user_name, digest);
