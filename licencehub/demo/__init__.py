"""The main job before your eyes: a hub of its own, departments that send, and every row's outcome against what must come."""
