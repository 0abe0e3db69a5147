-- As in SQLite.
CREATE TABLE shared_file_pieces (
    file   text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    bytes  bytea NOT NULL,
    PRIMARY KEY (file, number)
);
