CREATE TABLE journal (
    event_id VARCHAR(36) NOT NULL,
    body TEXT NOT NULL,
    accepted_at DATETIME NOT NULL,
    finished_at DATETIME,
    PRIMARY KEY (event_id)
);

CREATE INDEX ix_journal_finished_at ON journal (finished_at);

CREATE TABLE customer (
    customer_id VARCHAR(40) NOT NULL,
    address VARCHAR(340) NOT NULL,
    name VARCHAR(255) NOT NULL,
    created_at DATETIME NOT NULL,
    PRIMARY KEY (customer_id),
    UNIQUE (address)
);

CREATE TABLE outgoing (
    reply_id VARCHAR(36) NOT NULL,
    message_id VARCHAR(36) NOT NULL,
    conversation_id VARCHAR(40) NOT NULL,
    channel VARCHAR(16) NOT NULL,
    address VARCHAR(320) NOT NULL,
    subject VARCHAR(998) NOT NULL,
    text TEXT NOT NULL,
    action VARCHAR(16) NOT NULL,
    reason VARCHAR(40) NOT NULL,
    how VARCHAR(120) NOT NULL,
    sources JSON,
    status VARCHAR(16) NOT NULL,
    outbound VARCHAR(32) NOT NULL,
    provider_id VARCHAR(255) NOT NULL,
    owner VARCHAR(64) NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at DATETIME NOT NULL,
    claimed_at DATETIME,
    sent_at DATETIME,
    told_at DATETIME,
    last_error VARCHAR(500) NOT NULL,
    created_at DATETIME NOT NULL,
    PRIMARY KEY (reply_id),
    UNIQUE (message_id)
);

CREATE INDEX ix_outgoing_conversation_id ON outgoing (conversation_id);

CREATE INDEX ix_outgoing_told_at ON outgoing (told_at);

CREATE INDEX outgoing_due ON outgoing (status, next_attempt_at);

CREATE TABLE event (
    seq INTEGER NOT NULL,
    event_id VARCHAR(80) NOT NULL,
    trace_id VARCHAR(32) NOT NULL,
    conversation_id VARCHAR(40) NOT NULL,
    stage VARCHAR(20) NOT NULL,
    topic VARCHAR(64) NOT NULL,
    partition_offset VARCHAR(40) NOT NULL,
    occurred_at DATETIME NOT NULL,
    took_ms FLOAT NOT NULL,
    why VARCHAR(1000) NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (seq),
    UNIQUE (event_id)
);

CREATE INDEX event_of_trace ON event (trace_id, occurred_at);

CREATE INDEX ix_event_conversation_id ON event (conversation_id);

CREATE TABLE conversation (
    conversation_id VARCHAR(40) NOT NULL,
    customer_id VARCHAR(40) NOT NULL,
    channel VARCHAR(16) NOT NULL,
    subject VARCHAR(998) NOT NULL,
    state VARCHAR(20) NOT NULL,
    reason VARCHAR(40) NOT NULL,
    trial BOOLEAN NOT NULL,
    created_at DATETIME NOT NULL,
    last_at DATETIME NOT NULL,
    PRIMARY KEY (conversation_id),
    FOREIGN KEY(customer_id) REFERENCES customer (customer_id)
);

CREATE INDEX ix_conversation_state ON conversation (state);

CREATE INDEX ix_conversation_last_at ON conversation (last_at);

CREATE INDEX conversation_of ON conversation (customer_id, channel, last_at);

CREATE TABLE message (
    message_id VARCHAR(36) NOT NULL,
    conversation_id VARCHAR(40) NOT NULL,
    channel VARCHAR(16) NOT NULL,
    external_id VARCHAR(255) NOT NULL,
    subject VARCHAR(998) NOT NULL,
    text TEXT NOT NULL,
    received_text TEXT NOT NULL,
    received_html TEXT,
    attachments JSON,
    received_at DATETIME NOT NULL,
    stored_at DATETIME NOT NULL,
    sender VARCHAR(998) NOT NULL,
    automatic VARCHAR(200),
    trial BOOLEAN NOT NULL,
    new_customer BOOLEAN NOT NULL,
    new_conversation BOOLEAN NOT NULL,
    why VARCHAR(500) NOT NULL,
    outcome VARCHAR(20) NOT NULL,
    PRIMARY KEY (message_id),
    UNIQUE (channel, external_id),
    FOREIGN KEY(conversation_id) REFERENCES conversation (conversation_id)
);

CREATE INDEX ix_message_conversation_id ON message (conversation_id);

CREATE TABLE threadid (
    mail_id VARCHAR(255) NOT NULL,
    conversation_id VARCHAR(40) NOT NULL,
    PRIMARY KEY (mail_id),
    FOREIGN KEY(conversation_id) REFERENCES conversation (conversation_id)
);
