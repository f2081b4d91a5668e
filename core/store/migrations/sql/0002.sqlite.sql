CREATE TABLE attachment (
	digest BLOB NOT NULL,
	receipt BLOB NOT NULL,
	put_ms BIGINT NOT NULL,
	published BOOLEAN NOT NULL,
	PRIMARY KEY (digest, receipt)
)
--;
CREATE INDEX ix_attachment_open ON attachment (put_ms) WHERE NOT published
--;
CREATE INDEX ix_attachment_receipt ON attachment (receipt)
