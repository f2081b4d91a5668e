"""What was begun with a quarantine case, and which blobs outlive the files that were received with the same bytes."""

from alembic import op

from core.store.migrations import run_frozen

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Adds the columns."""
    run_frozen(op.get_bind(), "0003")
