"""The hub's own HTTP interface: receipts, quarantine, licences, verification, its description and its health."""
