"""Metrics, health and upload alerts."""
