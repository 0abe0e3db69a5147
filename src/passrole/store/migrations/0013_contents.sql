-- Bytes under the SHA-256 of their content, in pieces, for as long as somebody uses them (store/contents.py).
CREATE TABLE contents (
    digest TEXT PRIMARY KEY,       -- in hexadecimal
    pieces INTEGER NOT NULL,       -- how many there are once it is whole
    begun  REAL    NOT NULL        -- when somebody last began to write it
) WITHOUT ROWID;

CREATE TABLE content_pieces (
    digest TEXT    NOT NULL,
    number INTEGER NOT NULL,       -- from 0
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (digest, number)
);

CREATE TABLE content_users (
    digest    TEXT NOT NULL,
    user_name TEXT NOT NULL,
    PRIMARY KEY (digest, user_name)
) WITHOUT ROWID;
CREATE INDEX content_users_user ON content_users (user_name, digest);
