-- As in SQLite: the lines of the servers' audit trails, and how far each file is copied.
CREATE TABLE audit_lines (
    file    bigint NOT NULL,
    place   bigint NOT NULL,
    at      double precision NOT NULL,
    request text COLLATE "C" NOT NULL,
    denied  bigint NOT NULL,
    line    bytea NOT NULL,
    PRIMARY KEY (file, place)
);
CREATE INDEX audit_lines_at ON audit_lines (at, file, place);
CREATE INDEX audit_lines_denied ON audit_lines (at, file, place) WHERE denied = 1;
CREATE INDEX audit_lines_request ON audit_lines (request);

CREATE TABLE audit_files (
    file    bigint PRIMARY KEY,
    shipped bigint NOT NULL,
    last    bytea NOT NULL,
    server  text COLLATE "C" NOT NULL
);
