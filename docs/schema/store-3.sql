CREATE TABLE configurations (
  model_sha256 TEXT NOT NULL,
  variant TEXT NOT NULL,
  runtime TEXT NOT NULL,
  provider TEXT NOT NULL,
  device TEXT NOT NULL,
  threads INTEGER NOT NULL,
  records INTEGER NOT NULL,
  valid INTEGER NOT NULL,
  medians INTEGER NOT NULL,
  least_p50 INTEGER,
  sum_p50 REAL,
  greatest_p50 INTEGER,
  greatest_p99 INTEGER,
  greatest_peak_memory INTEGER,
  PRIMARY KEY (model_sha256, variant, runtime, provider, device, threads)
) WITHOUT ROWID;

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
  trial TEXT,
  samples INTEGER NOT NULL,
  p50_ns INTEGER,
  p90_ns INTEGER,
  p99_ns INTEGER,
  peak_memory INTEGER,
  accuracy REAL,
  json TEXT NOT NULL
);

CREATE TRIGGER records_counted AFTER INSERT ON records
BEGIN
  INSERT INTO configurations (model_sha256, variant, runtime, provider, device, threads, records, valid, medians, least_p50, sum_p50, greatest_p50, greatest_p99, greatest_peak_memory)
  VALUES (NEW.model_sha256, NEW.variant, NEW.runtime, NEW.provider, NEW.device, NEW.threads, 1,
    NEW.verdict = 'VALID', NEW.verdict = 'VALID' AND NEW.p50_ns IS NOT NULL,
    CASE WHEN NEW.verdict = 'VALID' THEN NEW.p50_ns END,
    CASE WHEN NEW.verdict = 'VALID' THEN NEW.p50_ns END,
    CASE WHEN NEW.verdict = 'VALID' THEN NEW.p50_ns END,
    CASE WHEN NEW.verdict = 'VALID' THEN NEW.p99_ns END,
    CASE WHEN NEW.verdict = 'VALID' THEN NEW.peak_memory END)
  ON CONFLICT (model_sha256, variant, runtime, provider, device, threads) DO UPDATE SET
    records = records + excluded.records,
    valid = valid + excluded.valid,
    medians = medians + excluded.medians,
    least_p50 = min(coalesce(least_p50, excluded.least_p50), coalesce(excluded.least_p50, least_p50)),
    sum_p50 = coalesce(sum_p50, 0) + coalesce(excluded.sum_p50, 0),
    greatest_p50 = max(coalesce(greatest_p50, excluded.greatest_p50), coalesce(excluded.greatest_p50, greatest_p50)),
    greatest_p99 = max(coalesce(greatest_p99, excluded.greatest_p99), coalesce(excluded.greatest_p99, greatest_p99)),
    greatest_peak_memory = max(coalesce(greatest_peak_memory, excluded.greatest_peak_memory), coalesce(excluded.greatest_peak_memory, greatest_peak_memory));
END;

CREATE TRIGGER records_fixed BEFORE UPDATE ON records
BEGIN SELECT RAISE(ABORT, 'records is append-only'); END;

CREATE TRIGGER records_keep BEFORE DELETE ON records
BEGIN SELECT RAISE(ABORT, 'records is append-only'); END;

CREATE INDEX records_model ON records (model_sha256);

CREATE TRIGGER records_new BEFORE INSERT ON records
WHEN EXISTS (SELECT 1 FROM records WHERE id = NEW.id OR seq = NEW.seq)
  OR EXISTS (SELECT 1 FROM records WHERE substr(trial, 1, 12) = substr(NEW.trial, 1, 12) AND trial BETWEEN NEW.trial AND NEW.trial)
BEGIN SELECT RAISE(ABORT, 'this is there already'); END;

CREATE INDEX records_session ON records (session, finished_at);

CREATE INDEX records_trial ON records (substr(trial, 1, 12)) WHERE trial IS NOT NULL;

CREATE TABLE sweeps (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  plan TEXT NOT NULL
);

CREATE TRIGGER sweeps_fixed BEFORE UPDATE ON sweeps
BEGIN SELECT RAISE(ABORT, 'sweeps is append-only'); END;

CREATE TRIGGER sweeps_keep BEFORE DELETE ON sweeps
BEGIN SELECT RAISE(ABORT, 'sweeps is append-only'); END;

CREATE TRIGGER sweeps_new BEFORE INSERT ON sweeps
WHEN EXISTS (SELECT 1 FROM sweeps WHERE id = NEW.id OR seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'this is there already'); END;

CREATE TABLE trial_events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  sweep TEXT NOT NULL,
  trial TEXT NOT NULL,
  kind TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  holder TEXT NOT NULL,
  at INTEGER NOT NULL,
  detail TEXT NOT NULL
);

CREATE TRIGGER trial_events_fixed BEFORE UPDATE ON trial_events
BEGIN SELECT RAISE(ABORT, 'trial_events is append-only'); END;

CREATE TRIGGER trial_events_keep BEFORE DELETE ON trial_events
BEGIN SELECT RAISE(ABORT, 'trial_events is append-only'); END;

CREATE INDEX trial_events_kind ON trial_events (kind);

CREATE TRIGGER trial_events_new BEFORE INSERT ON trial_events
WHEN EXISTS (SELECT 1 FROM trial_events WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'this is there already'); END;

CREATE INDEX trial_events_trial ON trial_events (sweep, trial);

CREATE TABLE trials (
  sweep TEXT NOT NULL,
  key TEXT NOT NULL,
  position INTEGER NOT NULL,
  device TEXT NOT NULL,
  title TEXT NOT NULL,
  specification TEXT NOT NULL,
  state TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  losses INTEGER NOT NULL,
  holder TEXT,
  lease_until INTEGER,
  record TEXT,
  PRIMARY KEY (sweep, key)
);

CREATE INDEX trials_queue ON trials (sweep, state, losses, failures, position);
