-- The ends of files that one of several servers writes and all answer from (store/shared_files.py).
CREATE TABLE shared_file_pieces (
    file   TEXT    NOT NULL,       -- its path in the data folder of the server that writes it
    number INTEGER NOT NULL,       -- from 0, at the file's beginning
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (file, number)
);
