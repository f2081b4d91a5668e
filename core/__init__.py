"""The licence domain: rules, store, packaging, verification, and the ports the outside plugs into."""
