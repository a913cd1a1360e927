-- Version 1 of the ledger.
--
-- The statements are standard SQL with PostgreSQL's type names, which SQLite
-- takes as they are. Instants of a wall clock are nanoseconds since 1970 in UTC,
-- readings of a steady clock nanoseconds since the boot of the host; NULL is
-- "none". Enumerations are words, the same as in the metrics. `sum` is a
-- checksum over the row's other columns. The account leads every key.

CREATE TABLE accounts (
    account    text     NOT NULL,
    endpoint   text     NOT NULL, -- of the platform's API, whose calls are counted here
    last_claim bigint   NOT NULL, -- the highest number ever given, pruned and returned ones included
    sum        bigint   NOT NULL,
    PRIMARY KEY (account)
);

-- The boots of hosts under which instants were read. A steady reading means
-- something only under its own boot; boot 0 is one that was foreign when written.
CREATE TABLE boots (
    account    text     NOT NULL,
    boot       bigint   NOT NULL,
    kernel_id  text     NOT NULL,
    sum        bigint   NOT NULL,
    PRIMARY KEY (account, boot)
);

-- One small row per deployment: up to where it is settled, and what is not.
CREATE TABLE deployments (
    account         text     NOT NULL,
    deployment      text     NOT NULL,
    name            text     NOT NULL, -- as the platform last told it
    policy          text     NOT NULL,
    floor           bigint,
    fingerprint     bytea    NOT NULL,
    power           text,
    armed           smallint NOT NULL,
    gone            smallint NOT NULL,
    due_power       text,
    due_at          bigint,
    due_because     text,
    raised_power    text,
    raised_at       bigint,
    raised_because  text,
    attempt_power   text,
    attempt_at      bigint,
    attempt_because text,
    attempt_state   text,
    attempt_wall    bigint,
    attempt_steady  bigint,
    attempt_boot    bigint,
    attempt_tries   bigint   NOT NULL,
    attempt_refused bigint   NOT NULL,
    last            text,
    last_reason     text     NOT NULL,
    last_power      text,
    last_at         bigint,
    sum             bigint   NOT NULL,
    PRIMARY KEY (account, deployment)
);

-- Calls that count, or may still count, against a quota. A row is written
-- before its call leaves and never changed.
CREATE TABLE claims (
    account    text     NOT NULL,
    claim      bigint   NOT NULL,
    deployment text     NOT NULL,
    method     text     NOT NULL,
    power      text,
    at         bigint,
    because    text,
    wall       bigint,
    steady     bigint,
    boot       bigint,
    latest     bigint   NOT NULL, -- steady
    probe      smallint NOT NULL,
    sum        bigint   NOT NULL,
    PRIMARY KEY (account, claim)
);

-- How their calls ended. A claim without one is open.
CREATE TABLE endings (
    account    text     NOT NULL,
    claim      bigint   NOT NULL,
    wall       bigint,
    steady     bigint,
    boot       bigint,
    known      smallint NOT NULL,
    result     text     NOT NULL,
    status     bigint   NOT NULL,
    wait       bigint   NOT NULL, -- after a 429: no call like it for so long
    sum        bigint   NOT NULL,
    PRIMARY KEY (account, claim)
);

-- History: POSTs whose claims no longer count.
CREATE TABLE attempts (
    account      text     NOT NULL,
    claim        bigint   NOT NULL,
    deployment   text     NOT NULL,
    method       text     NOT NULL,
    power        text,
    at           bigint,
    because      text,
    wall         bigint,
    steady       bigint,
    boot         bigint,
    latest       bigint   NOT NULL,
    probe        smallint NOT NULL,
    answered     smallint NOT NULL, -- 0: nobody knows how it ended
    ended_wall   bigint,
    ended_steady bigint,
    ended_boot   bigint,
    known        smallint NOT NULL,
    result       text     NOT NULL,
    status       bigint   NOT NULL,
    wait         bigint   NOT NULL,
    sum          bigint   NOT NULL,
    PRIMARY KEY (account, claim)
);

CREATE INDEX attempts_deployment ON attempts (account, deployment, claim);

-- History: how transitions ended.
CREATE TABLE outcomes (
    account    text     NOT NULL,
    outcome    bigint   NOT NULL, -- counts up
    deployment text     NOT NULL,
    policy     text     NOT NULL,
    power      text,
    at         bigint,
    because    text,
    kind       text,
    reason     text     NOT NULL,
    edges      bigint   NOT NULL,
    settled    bigint,
    tries      bigint   NOT NULL,
    note       text     NOT NULL,
    sum        bigint   NOT NULL,
    PRIMARY KEY (account, outcome)
);

CREATE INDEX outcomes_deployment ON outcomes (account, deployment, outcome);

CREATE TABLE overrides (
    account    text     NOT NULL,
    override   bigint   NOT NULL,
    deployment text     NOT NULL,
    kind       text,
    power      text,
    before     text,
    since      bigint,
    until      bigint,
    edges      bigint   NOT NULL,
    author     text     NOT NULL,
    reason     text     NOT NULL,
    sum        bigint   NOT NULL,
    PRIMARY KEY (account, override)
);

-- What the platform's answers taught about its quotas.
CREATE TABLE scopes (
    account    text     NOT NULL,
    method     text     NOT NULL,
    scope      text,
    sum        bigint   NOT NULL,
    PRIMARY KEY (account, method)
);
