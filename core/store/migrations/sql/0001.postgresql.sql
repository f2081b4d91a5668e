CREATE TABLE alert (
	id UUID NOT NULL,
	kind VARCHAR(32) NOT NULL,
	interface VARCHAR(64) NOT NULL,
	raised_ms BIGINT NOT NULL,
	closed_ms BIGINT,
	detail TEXT DEFAULT '' NOT NULL,
	PRIMARY KEY (id)
)
--;
CREATE INDEX ix_alert_open ON alert (closed_ms, kind, interface)
--;
CREATE UNIQUE INDEX ux_alert_open ON alert (kind, interface) WHERE closed_ms IS NULL
--;
CREATE TABLE blind_index (
	field VARCHAR(32) NOT NULL,
	value BYTEA NOT NULL,
	licence_id UUID NOT NULL,
	key_id VARCHAR(32) NOT NULL,
	version_no INTEGER NOT NULL,
	PRIMARY KEY (field, value, licence_id)
)
--;
CREATE INDEX ix_blind_licence ON blind_index (licence_id)
--;
CREATE TABLE blob (
	digest BYTEA NOT NULL,
	media VARCHAR(64) NOT NULL,
	size_bytes BIGINT NOT NULL,
	content BYTEA NOT NULL,
	created_ms BIGINT NOT NULL,
	PRIMARY KEY (digest)
)
--;
CREATE TABLE checkpoint (
	size BIGINT NOT NULL,
	root BYTEA NOT NULL,
	at_ms BIGINT NOT NULL,
	key_id VARCHAR(64) NOT NULL,
	signature BYTEA NOT NULL,
	PRIMARY KEY (size)
)
--;
CREATE TABLE counter (
	day DATE NOT NULL,
	interface VARCHAR(64) NOT NULL,
	kind VARCHAR(32) NOT NULL,
	detail VARCHAR(32) NOT NULL,
	n BIGINT NOT NULL,
	PRIMARY KEY (day, interface, kind, detail)
)
--;
CREATE TABLE data_key (
	key_id VARCHAR(32) NOT NULL,
	purpose VARCHAR(16) NOT NULL,
	wrapped BYTEA NOT NULL,
	master_id VARCHAR(64) NOT NULL,
	created_ms BIGINT NOT NULL,
	retired_ms BIGINT,
	PRIMARY KEY (key_id)
)
--;
CREATE TABLE guard_key (
	interface VARCHAR(64) NOT NULL,
	client VARCHAR(64) NOT NULL,
	key VARCHAR(255) NOT NULL,
	body_digest BYTEA NOT NULL,
	first_seen_ms BIGINT NOT NULL,
	PRIMARY KEY (interface, client, key)
)
--;
CREATE INDEX ix_guard_key_seen ON guard_key (first_seen_ms)
--;
CREATE TABLE guard_nonce (
	client VARCHAR(64) NOT NULL,
	nonce VARCHAR(128) NOT NULL,
	seen_ms BIGINT NOT NULL,
	PRIMARY KEY (client, nonce)
)
--;
CREATE INDEX ix_guard_nonce_seen ON guard_nonce (seen_ms)
--;
CREATE TABLE hub_meta (
	name VARCHAR(64) NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (name)
)
--;
CREATE TABLE job_run (
	job VARCHAR(64) NOT NULL,
	last_started_ms BIGINT,
	last_succeeded_ms BIGINT,
	runs BIGINT DEFAULT '0' NOT NULL,
	failures BIGINT DEFAULT '0' NOT NULL,
	detail TEXT DEFAULT '' NOT NULL,
	PRIMARY KEY (job)
)
--;
CREATE TABLE journal (
	number BIGINT NOT NULL,
	id UUID NOT NULL,
	kind VARCHAR(32) NOT NULL,
	subject VARCHAR(64) NOT NULL,
	data BYTEA NOT NULL,
	at_ms BIGINT NOT NULL,
	leaf BYTEA NOT NULL,
	PRIMARY KEY (number)
)
 PARTITION BY RANGE (number)
--;
CREATE INDEX ix_journal_subject ON journal (subject, number)
--;
CREATE TABLE journal_pdefault PARTITION OF journal DEFAULT
--;
CREATE TABLE journal_head (
	id SERIAL NOT NULL,
	size BIGINT NOT NULL,
	frontier BYTEA NOT NULL,
	fence BIGINT NOT NULL,
	PRIMARY KEY (id)
)
--;
CREATE TABLE journal_pending (
	id UUID NOT NULL,
	kind VARCHAR(32) NOT NULL,
	subject VARCHAR(64) NOT NULL,
	data BYTEA NOT NULL,
	at_ms BIGINT NOT NULL,
	PRIMARY KEY (id)
)
--;
CREATE TABLE lease (
	name VARCHAR(64) NOT NULL,
	holder VARCHAR(128) NOT NULL,
	fence BIGINT NOT NULL,
	expires_ms BIGINT NOT NULL,
	PRIMARY KEY (name)
)
--;
CREATE TABLE ledger (
	receipt UUID NOT NULL,
	interface VARCHAR(64) NOT NULL,
	interface_revision INTEGER NOT NULL,
	submission UUID NOT NULL,
	position INTEGER NOT NULL,
	rows INTEGER NOT NULL,
	collection VARCHAR(16) NOT NULL,
	outcome VARCHAR(16) NOT NULL,
	licence_id UUID,
	version_no INTEGER,
	faults BYTEA,
	rules TEXT DEFAULT '' NOT NULL,
	cause TEXT DEFAULT '' NOT NULL,
	raw_frame UUID,
	raw_index INTEGER,
	stamp_us BIGINT NOT NULL,
	decided_ms BIGINT NOT NULL,
	PRIMARY KEY (receipt)
)
 PARTITION BY RANGE (receipt)
--;
CREATE INDEX ix_ledger_interface ON ledger (interface, receipt)
--;
CREATE INDEX ix_ledger_submission ON ledger (submission, position)
--;
CREATE TABLE ledger_pdefault PARTITION OF ledger DEFAULT
--;
CREATE TABLE licence (
	id UUID NOT NULL,
	licence_key BYTEA NOT NULL,
	licence_type VARCHAR(64) NOT NULL,
	issuer_code TEXT DEFAULT '' NOT NULL,
	issuer_name TEXT DEFAULT '' NOT NULL,
	department TEXT DEFAULT '' NOT NULL,
	region TEXT DEFAULT '' NOT NULL,
	licence_name TEXT DEFAULT '' NOT NULL,
	licence_number TEXT DEFAULT '' NOT NULL,
	number_key TEXT DEFAULT '' NOT NULL,
	holder_name TEXT DEFAULT '' NOT NULL,
	issued_on DATE,
	valid_from DATE,
	valid_until DATE,
	status VARCHAR(16) DEFAULT 'valid' NOT NULL,
	identifier VARCHAR(200) DEFAULT '' NOT NULL,
	current_version INTEGER DEFAULT '0' NOT NULL,
	source_order TEXT DEFAULT '' NOT NULL,
	stamp_us BIGINT DEFAULT '0' NOT NULL,
	rank INTEGER DEFAULT '0' NOT NULL,
	interface VARCHAR(64) DEFAULT '' NOT NULL,
	interface_revision INTEGER DEFAULT '0' NOT NULL,
	rule_revision INTEGER DEFAULT '0' NOT NULL,
	source_digest BYTEA,
	content_digest BYTEA,
	versions INTEGER DEFAULT '0' NOT NULL,
	status_events INTEGER DEFAULT '0' NOT NULL,
	sealed_version INTEGER DEFAULT '0' NOT NULL,
	updated_ms BIGINT DEFAULT '0' NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (licence_key)
)
--;
CREATE INDEX ix_licence_department ON licence (department, id)
--;
CREATE INDEX ix_licence_expiry ON licence (valid_until) WHERE status IN ('valid', 'suspended', 'lost')
--;
CREATE INDEX ix_licence_holder ON licence (holder_name text_pattern_ops)
--;
CREATE INDEX ix_licence_issued ON licence (issued_on, id)
--;
CREATE INDEX ix_licence_number ON licence (number_key)
--;
CREATE INDEX ix_licence_region ON licence (region, id)
--;
CREATE INDEX ix_licence_status ON licence (status, id)
--;
CREATE TABLE manifest (
	id UUID NOT NULL,
	gateway VARCHAR(64) NOT NULL,
	count INTEGER NOT NULL,
	digest BYTEA NOT NULL,
	receipts BYTEA NOT NULL,
	closed_ms BIGINT NOT NULL,
	reconciled_ms BIGINT,
	missing INTEGER,
	PRIMARY KEY (id)
)
--;
CREATE TABLE one_time_link (
	token BYTEA NOT NULL,
	target TEXT NOT NULL,
	expires_ms BIGINT NOT NULL,
	used_ms BIGINT,
	PRIMARY KEY (token)
)
--;
CREATE TABLE package (
	licence_id UUID NOT NULL,
	version_no INTEGER NOT NULL,
	form VARCHAR(8) NOT NULL,
	state VARCHAR(16) NOT NULL,
	bulk BOOLEAN NOT NULL,
	lease_ms BIGINT DEFAULT '0' NOT NULL,
	fence BIGINT DEFAULT '0' NOT NULL,
	tries INTEGER DEFAULT '0' NOT NULL,
	detail TEXT DEFAULT '' NOT NULL,
	file_number VARCHAR(100) DEFAULT '' NOT NULL,
	template VARCHAR(128) DEFAULT '' NOT NULL,
	digest BYTEA,
	size_bytes BIGINT,
	algorithm VARCHAR(32) DEFAULT '' NOT NULL,
	key_id VARCHAR(64) DEFAULT '' NOT NULL,
	blob BYTEA,
	thumbnail BYTEA,
	created_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL,
	PRIMARY KEY (licence_id, version_no, form)
)
--;
CREATE INDEX ix_package_state ON package (state, bulk, created_ms)
--;
CREATE TABLE quarantine_case (
	receipt UUID NOT NULL,
	interface VARCHAR(64) NOT NULL,
	kind VARCHAR(16) NOT NULL,
	state VARCHAR(16) NOT NULL,
	licence_id UUID,
	document BYTEA NOT NULL,
	rules TEXT DEFAULT '' NOT NULL,
	opened_ms BIGINT NOT NULL,
	claimed_by TEXT DEFAULT '' NOT NULL,
	decided_by TEXT DEFAULT '' NOT NULL,
	decided_ms BIGINT,
	reason TEXT DEFAULT '' NOT NULL,
	resubmission UUID,
	PRIMARY KEY (receipt)
)
--;
CREATE INDEX ix_quarantine_state ON quarantine_case (interface, state, opened_ms)
--;
CREATE TABLE raw_frame (
	id UUID NOT NULL,
	count INTEGER NOT NULL,
	frame BYTEA NOT NULL,
	PRIMARY KEY (id)
)
 PARTITION BY RANGE (id)
--;
CREATE TABLE raw_frame_pdefault PARTITION OF raw_frame DEFAULT
--;
CREATE TABLE registry_entry (
	kind VARCHAR(16) NOT NULL,
	name VARCHAR(64) NOT NULL,
	state VARCHAR(16) NOT NULL,
	revision INTEGER NOT NULL,
	declaration BYTEA NOT NULL,
	changed_ms BIGINT NOT NULL,
	PRIMARY KEY (kind, name)
)
--;
CREATE TABLE registry_revision (
	id SERIAL NOT NULL,
	revision INTEGER NOT NULL,
	PRIMARY KEY (id)
)
--;
CREATE TABLE registry_version (
	kind VARCHAR(16) NOT NULL,
	name VARCHAR(64) NOT NULL,
	revision INTEGER NOT NULL,
	state VARCHAR(16) NOT NULL,
	declaration BYTEA NOT NULL,
	digest BYTEA NOT NULL,
	actor TEXT NOT NULL,
	changed_ms BIGINT NOT NULL,
	PRIMARY KEY (kind, name, revision)
)
--;
CREATE TABLE submission (
	id UUID NOT NULL,
	interface VARCHAR(64) NOT NULL,
	protocol VARCHAR(16) NOT NULL,
	origin TEXT DEFAULT '' NOT NULL,
	size_bytes BIGINT DEFAULT '0' NOT NULL,
	digest BYTEA NOT NULL,
	state VARCHAR(16) NOT NULL,
	rows INTEGER DEFAULT '0' NOT NULL,
	records INTEGER DEFAULT '0' NOT NULL,
	skipped INTEGER DEFAULT '0' NOT NULL,
	detail TEXT DEFAULT '' NOT NULL,
	received_ms BIGINT NOT NULL,
	finished_ms BIGINT,
	PRIMARY KEY (id)
)
--;
CREATE INDEX ix_submission_digest ON submission (interface, digest)
--;
CREATE INDEX ix_submission_origin ON submission (interface, origin, size_bytes, digest)
--;
CREATE TABLE subscription (
	name VARCHAR(64) NOT NULL,
	delivered BIGINT NOT NULL,
	fence BIGINT NOT NULL,
	failures INTEGER DEFAULT '0' NOT NULL,
	retry_ms BIGINT DEFAULT '0' NOT NULL,
	stopped TEXT DEFAULT '' NOT NULL,
	updated_ms BIGINT NOT NULL,
	PRIMARY KEY (name)
)
--;
CREATE TABLE identifier (
	identifier VARCHAR(200) NOT NULL,
	licence_id UUID NOT NULL,
	serial_key TEXT NOT NULL,
	version INTEGER NOT NULL,
	version_no INTEGER NOT NULL,
	assigned BOOLEAN NOT NULL,
	PRIMARY KEY (identifier),
	FOREIGN KEY(licence_id) REFERENCES licence (id)
)
--;
CREATE INDEX ix_identifier_licence ON identifier (licence_id)
--;
CREATE UNIQUE INDEX ux_identifier_serial ON identifier (serial_key, version)
--;
CREATE TABLE licence_version (
	licence_id UUID NOT NULL,
	version_no INTEGER NOT NULL,
	identifier VARCHAR(200) NOT NULL,
	receipt UUID NOT NULL,
	interface VARCHAR(64) NOT NULL,
	interface_revision INTEGER NOT NULL,
	rule_revision INTEGER NOT NULL,
	source_order TEXT NOT NULL,
	stamp_us BIGINT NOT NULL,
	rank INTEGER NOT NULL,
	source_digest BYTEA NOT NULL,
	content_digest BYTEA NOT NULL,
	outcome VARCHAR(16) NOT NULL,
	cause TEXT DEFAULT '' NOT NULL,
	document BYTEA NOT NULL,
	created_ms BIGINT NOT NULL,
	PRIMARY KEY (licence_id, version_no),
	FOREIGN KEY(licence_id) REFERENCES licence (id)
)
--;
CREATE TABLE status_event (
	licence_id UUID NOT NULL,
	seq INTEGER NOT NULL,
	status VARCHAR(16) NOT NULL,
	cause TEXT NOT NULL,
	actor TEXT NOT NULL,
	receipt UUID,
	effective_on DATE,
	created_ms BIGINT NOT NULL,
	PRIMARY KEY (licence_id, seq),
	FOREIGN KEY(licence_id) REFERENCES licence (id)
)
--;
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME USING ERRCODE = '2F002';
END $$
--;
CREATE TRIGGER licence_version_insert_only BEFORE UPDATE OR DELETE ON licence_version FOR EACH ROW EXECUTE FUNCTION refuse_change()
--;
CREATE TRIGGER licence_version_no_truncate BEFORE TRUNCATE ON licence_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
--;
CREATE TRIGGER status_event_insert_only BEFORE UPDATE OR DELETE ON status_event FOR EACH ROW EXECUTE FUNCTION refuse_change()
--;
CREATE TRIGGER status_event_no_truncate BEFORE TRUNCATE ON status_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
--;
CREATE TRIGGER ledger_insert_only BEFORE UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION refuse_change()
--;
CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
--;
CREATE TRIGGER journal_insert_only BEFORE UPDATE OR DELETE ON journal FOR EACH ROW EXECUTE FUNCTION refuse_change()
--;
CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON journal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
--;
CREATE TRIGGER checkpoint_insert_only BEFORE UPDATE OR DELETE ON checkpoint FOR EACH ROW EXECUTE FUNCTION refuse_change()
--;
CREATE TRIGGER checkpoint_no_truncate BEFORE TRUNCATE ON checkpoint FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
--;
CREATE TRIGGER registry_version_insert_only BEFORE UPDATE OR DELETE ON registry_version FOR EACH ROW EXECUTE FUNCTION refuse_change()
--;
CREATE TRIGGER registry_version_no_truncate BEFORE TRUNCATE ON registry_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
--;
CREATE TRIGGER ledger_pdefault_no_truncate BEFORE TRUNCATE ON ledger_pdefault FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
--;
CREATE TRIGGER journal_pdefault_no_truncate BEFORE TRUNCATE ON journal_pdefault FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
--;
ALTER TABLE blob ALTER COLUMN content SET STORAGE EXTERNAL
--;
ALTER TABLE raw_frame ALTER COLUMN frame SET STORAGE EXTERNAL
--;
ALTER TABLE licence_version ALTER COLUMN document SET STORAGE EXTERNAL
--;
ALTER TABLE licence_version SET (toast_tuple_target = 8160)
--;
INSERT INTO journal_head (id, size, frontier, fence) VALUES (1, 0, '', 0)
--;
INSERT INTO registry_revision (id, revision) VALUES (1, 0)
