-- The audit trail of several servers: the lines of their files `audit.jsonl`, which each of them copies here.
CREATE TABLE audit_lines (
    file    INTEGER NOT NULL, -- the number of the file, from its first line (audit/rows.py)
    place   INTEGER NOT NULL, -- where the line begins in it, in bytes
    at      REAL    NOT NULL, -- when the call ended, by its server's clock
    request TEXT    NOT NULL,
    denied  INTEGER NOT NULL, -- 1: a permission was denied
    line    BLOB    NOT NULL,
    PRIMARY KEY (file, place)
) WITHOUT ROWID;
CREATE INDEX audit_lines_at ON audit_lines (at, file, place);
CREATE INDEX audit_lines_denied ON audit_lines (at, file, place) WHERE denied = 1;
CREATE INDEX audit_lines_request ON audit_lines (request);

CREATE TABLE audit_files (
    file    INTEGER PRIMARY KEY,
    shipped INTEGER NOT NULL, -- so many bytes of it are in audit_lines
    last    BLOB    NOT NULL, -- the line before that place: a file that has another one there is another file
    server  TEXT    NOT NULL  -- for people: the machine and the folder
);
