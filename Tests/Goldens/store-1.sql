CREATE TABLE records (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  session TEXT NOT NULL,
  finished_at INTEGER NOT NULL,
  model_sha256 TEXT NOT NULL,
  artefact TEXT NOT NULL,
  variant TEXT NOT NULL,
  runtime TEXT NOT NULL,
  provider TEXT NOT NULL,
  device TEXT NOT NULL,
  threads INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  json TEXT NOT NULL
);

CREATE TRIGGER records_fixed BEFORE UPDATE ON records
BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;

CREATE TRIGGER records_keep BEFORE DELETE ON records
BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;

CREATE INDEX records_model ON records (model_sha256, variant, runtime);

CREATE TRIGGER records_new BEFORE INSERT ON records
WHEN EXISTS (SELECT 1 FROM records WHERE id = NEW.id OR seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'there is a record of this id already'); END;

CREATE INDEX records_session ON records (session);
