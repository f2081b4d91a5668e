"""The tables of the first release, with their triggers and, on PostgreSQL, partitions."""

from alembic import op

from core.store.migrations import run_frozen

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates everything."""
    run_frozen(op.get_bind(), "0001")
