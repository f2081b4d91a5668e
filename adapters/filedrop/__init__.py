"""The file drop channel adapter: a watched folder an interface, and the reading of files that the command line shares."""

from adapters.filedrop.drop import FileDrop, Sweep
from adapters.filedrop.poller import DropPoller
from adapters.filedrop.reading import FileIntake, Taken

__all__ = ["DropPoller", "FileDrop", "FileIntake", "Sweep", "Taken"]
