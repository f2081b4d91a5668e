"""Files that came with records, by the receipt of their record."""

from alembic import op

from core.store.migrations import run_frozen

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Creates the table."""
    run_frozen(op.get_bind(), "0002")
