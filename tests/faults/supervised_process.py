"""What ``serve`` runs in production, on the embedded stack: a supervisor with processes below it. Writes how they ended."""

import json
import sys

from licencehub.supervision import Child, run_processes, stop_on_signals

if __name__ == "__main__":
    stop = stop_on_signals()
    children = [Child(role, ["-c", sys.argv[1], "serve", "--role", role]) for role in ("gateway", "worker")]
    run_processes(children, stop)
    ended = [child._process.returncode for child in children if child._process is not None]
    sys.stdout.write(json.dumps(ended))
