"""The store: licence library, ledger, journal and registry on PostgreSQL or SQLite."""
