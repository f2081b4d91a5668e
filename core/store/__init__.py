"""The store: licence library, ledger, journal and registry on PostgreSQL or SQLite."""

from core.keyring import Keyring
from core.store.alerts import AlertStore
from core.store.attachments import AttachmentStore
from core.store.blobs import BlobStore
from core.store.engine import Database
from core.store.expiry import ExpiryStore
from core.store.guard import GuardStore
from core.store.jobs import JobStore
from core.store.journal import JournalStore
from core.store.keys import StoredKeys
from core.store.leases import LeaseStore
from core.store.ledger import LedgerStore
from core.store.licences import LicenceStore
from core.store.links import LinkStore
from core.store.manifests import ManifestStore
from core.store.migrations import migrate
from core.store.package_queue import PackageQueue
from core.store.packages import PackageStore
from core.store.partitions import ensure_partitions
from core.store.quarantine import QuarantineStore
from core.store.records import RecordStore
from core.store.registry import RegistryStore
from core.store.schema import grant
from core.store.submissions import SubmissionStore
from core.store.subscriptions import SubscriptionStore


class Store:
    """All parts of the store on one database; each part is a narrow object of its own."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.database = database
        self.keyring = keyring
        self.records = RecordStore(database, keyring)
        self.guard = GuardStore(database)
        self.ledger = LedgerStore(database, keyring)
        self.licences = LicenceStore(database, keyring)
        self.quarantine = QuarantineStore(database, keyring, self.records)
        self.registry = RegistryStore(database)
        self.submissions = SubmissionStore(database)
        self.blobs = BlobStore(database, keyring)
        self.attachments = AttachmentStore(database, keyring)
        self.manifests = ManifestStore(database)
        self.journal = JournalStore(database)
        self.leases = LeaseStore(database)
        self.subscriptions = SubscriptionStore(database)
        self.packages = PackageStore(database)
        self.package_queue = PackageQueue(database)
        self.alerts = AlertStore(database)
        self.links = LinkStore(database)
        self.jobs = JobStore(database)
        self.expiry = ExpiryStore(database)

    def close(self) -> None:
        """Closes the connections."""
        self.database.close()


def open_store(
    url: str,
    *,
    master: bytes,
    application_name: str = "licence-hub",
    pool_size: int = 8,
    statement_timeout_s: float = 60.0,
) -> Store:
    """Opens a store that ``prepare_store`` has made; ``master`` is the master key (core.keyring.parse_master).

    Raises ``Unavailable`` when the database is out of reach and ``ConfigError`` when the master key is not the store's.
    """
    database = Database(
        url, application_name=application_name, pool_size=pool_size, statement_timeout_s=statement_timeout_s
    )
    try:
        return Store(database, Keyring(master, StoredKeys(database)))
    except BaseException:
        database.close()  # whoever tries again must not leave a connection behind each time
        raise


def prepare_store(url: str, owner_url: str = "") -> str:
    """Migrates the schema, makes partitions, grants rights; returns the revision. Safe from several processes at once.

    ``owner_url`` is the migration role's URL where it is not the application's (PostgreSQL).
    """
    owner = Database(owner_url or url, application_name="licence-hub-migration", pool_size=1)
    try:
        revision = migrate(owner)
        ensure_partitions(owner)
        application = Database(url).url.username
        if owner_url and application and application != owner.url.username:
            grant(owner, application)
    finally:
        owner.close()
    return revision
