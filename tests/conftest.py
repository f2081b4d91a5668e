"""What every test may ask for: the services in tests/services, and how their absence is told."""

pytest_plugins = ["services.reporting", "services.fixtures"]
