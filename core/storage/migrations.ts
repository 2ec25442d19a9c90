import type { Migration } from './types.ts'

/** The node's database. Append only: a released step never changes. */
export const NODE_MIGRATIONS: readonly Migration[] = [
  {
    name: 'records, jobs, settings, ledger state',
    sql: `
      CREATE TABLE records (
        kind TEXT NOT NULL CHECK (kind IN ('share', 'encrypted', 'public')),
        key TEXT NOT NULL,
        share_index INTEGER NOT NULL,
        owner TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'active')),
        digest TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        shape TEXT NOT NULL,
        authorization TEXT NOT NULL,
        placements TEXT NOT NULL,
        expires INTEGER,
        PRIMARY KEY (kind, key)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX records_expiry ON records (expires) WHERE state = 'pending';

      CREATE TABLE bodies (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        part TEXT NOT NULL CHECK (part IN ('values', 'masks', 'commitments', 'data')),
        content BLOB NOT NULL,
        PRIMARY KEY (kind, key, part),
        FOREIGN KEY (kind, key) REFERENCES records (kind, key) ON DELETE CASCADE
      ) STRICT;

      CREATE TABLE tombstones (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        time INTEGER NOT NULL,
        PRIMARY KEY (kind, key)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE usage (
        owner TEXT PRIMARY KEY,
        records INTEGER NOT NULL,
        bytes INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      INSERT INTO usage VALUES ('', 0, 0);
      CREATE TRIGGER usage_insert AFTER INSERT ON records BEGIN
        INSERT INTO usage VALUES (NEW.owner, 1, NEW.bytes)
          ON CONFLICT (owner) DO UPDATE SET records = records + 1, bytes = bytes + NEW.bytes;
        UPDATE usage SET records = records + 1, bytes = bytes + NEW.bytes WHERE owner = '';
      END;
      CREATE TRIGGER usage_delete AFTER DELETE ON records BEGIN
        UPDATE usage SET records = records - 1, bytes = bytes - OLD.bytes WHERE owner IN (OLD.owner, '');
        DELETE FROM usage WHERE owner = OLD.owner AND records = 0;
      END;

      CREATE TABLE jobs (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'waiting', 'done', 'failed', 'cancelled')),
        data TEXT NOT NULL,
        created INTEGER NOT NULL,
        updated INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX jobs_by_state ON jobs (state, kind, created);

      CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

      CREATE TABLE entries (
        namespace TEXT NOT NULL,
        key TEXT NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (namespace, key)
      ) STRICT;

      CREATE TABLE cursors (id TEXT PRIMARY KEY, cursor TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE outbox (id TEXT PRIMARY KEY, seq INTEGER NOT NULL UNIQUE, intent TEXT NOT NULL) STRICT;
    `,
  },
  {
    name: 'bodies in pieces',
    sql: `
      CREATE TABLE pieces (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        part TEXT NOT NULL CHECK (part IN ('values', 'masks', 'commitments', 'data')),
        piece INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (kind, key, part, piece),
        FOREIGN KEY (kind, key) REFERENCES records (kind, key) ON DELETE CASCADE
      ) STRICT;
      INSERT INTO pieces SELECT kind, key, part, 0, content FROM bodies;
      DROP TABLE bodies;
    `,
  },
]
