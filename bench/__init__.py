"""Benchmarks of the hub, beside the straightforward way to do the same job: ``python -m bench --help``."""
