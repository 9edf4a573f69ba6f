-- Layers with thumbnails and stars of their own.
PRAGMA user_version = 3;
CREATE TABLE blobs (
    sha256 TEXT PRIMARY KEY, bytes INTEGER NOT NULL, format TEXT NOT NULL, width INTEGER, height INTEGER, used REAL NOT NULL,
    uploaded INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO "blobs" VALUES('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',100,'rgba8',5,5,1790000009.0,0);
CREATE TABLE files (
    job TEXT PRIMARY KEY REFERENCES jobs ON DELETE CASCADE, name TEXT NOT NULL, sha256 TEXT NOT NULL, notes TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE inputs (
    job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, sha256 TEXT NOT NULL, PRIMARY KEY (job, sha256)
) WITHOUT ROWID;
CREATE TABLE jobs (
    job TEXT PRIMARY KEY, number INTEGER UNIQUE, session TEXT NOT NULL, lane TEXT NOT NULL, task TEXT NOT NULL,
    message TEXT NOT NULL, state TEXT NOT NULL, front INTEGER NOT NULL DEFAULT 0, crashes INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL, finished REAL, seconds REAL, failure TEXT, notes TEXT, acknowledged INTEGER NOT NULL DEFAULT 0,
    thumbnail BLOB, thumbnail_width INTEGER, thumbnail_height INTEGER, bytes INTEGER NOT NULL DEFAULT 1024
, person TEXT NOT NULL DEFAULT 'local');
INSERT INTO "jobs" VALUES('job-over-0000',1,'session-1','engine','foreground','{"type": "submit", "job": "job-over-0000", "task": "foreground", "parameters": {"prompt": "a kite", "seed": 1}}','finished',0,0,1790000000.0,1790000009.5,9.5,NULL,'["a note"]',1,NULL,NULL,NULL,1124,'local');
INSERT INTO "jobs" VALUES('job-waiting-0',2,'session-1','engine','foreground','{"type": "submit", "job": "job-waiting-0", "task": "foreground", "parameters": {"prompt": "a lamp", "seed": 2}}','waiting',0,0,1790000020.0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,1024,'local');
CREATE TABLE layers (
    job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, idx INTEGER NOT NULL, message TEXT NOT NULL, sha256 TEXT NOT NULL,
    thumbnail BLOB, thumbnail_width INTEGER, thumbnail_height INTEGER, starred INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job, idx)
) WITHOUT ROWID;
INSERT INTO "layers" VALUES('job-over-0000',0,'{"job": "job-over-0000", "index": 0, "name": "a kite (1)", "role": "foreground", "x": 1, "y": 2, "width": 5, "height": 5, "box": {"x": 0, "y": 0, "width": 9, "height": 9}, "format": "rgba8", "bytes": 100, "sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',X'780133343236010001F800CB',1,1,0);
CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "notes" VALUES('engine','{"state": "ready"}');
CREATE INDEX jobs_by_state ON jobs (state, number);
CREATE INDEX layers_by_blob ON layers (sha256);
CREATE INDEX inputs_by_blob ON inputs (sha256);
CREATE INDEX files_by_blob ON files (sha256);
CREATE INDEX uploads ON blobs (used) WHERE uploaded;
CREATE INDEX jobs_by_person ON jobs (person, number);
