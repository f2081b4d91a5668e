"""Use cases of the licence domain that need no bus: what commands, routes and jobs are thin shells over."""
