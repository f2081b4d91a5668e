"""Intake: what was received becomes receipts and chunks on the bus, once, and not before the bus has them for good."""

from router.intake.blocking import BlockingIntake
from router.intake.gateway import GatewayIntake
from router.intake.guard import GuardGate
from router.intake.manifest import ManifestLog

__all__ = ["BlockingIntake", "GatewayIntake", "GuardGate", "ManifestLog"]
