"""Channel adapters: one folder a protocol, plus the hub's own HTTP interface."""
