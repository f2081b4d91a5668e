"""Configuration: one TOML file and the environment into frozen structs; secrets only by reference."""

from core.config.default import FILE_NAME, Stack, drafted_config, write_default_config
from core.config.load import load_config
from core.config.sections import Client, Gateway, Grant, HubConfig, Subscriber

__all__ = [
    "FILE_NAME",
    "Client",
    "Gateway",
    "Grant",
    "HubConfig",
    "Stack",
    "Subscriber",
    "drafted_config",
    "load_config",
    "write_default_config",
]
