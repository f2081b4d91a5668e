"""The language everyone speaks: records, chunks, receipts, declarations, code tables, checks. No I/O."""
