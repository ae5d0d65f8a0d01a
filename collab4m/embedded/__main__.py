"""`python -m collab4m.embedded run [--once | --reload]` and `… with-servers --data FOLDER -- COMMAND …`."""

import argparse
import os
import sys
from pathlib import Path

from collab4m.build import ROOT, Trouble, in_one_sentence
from collab4m.embedded.servers import with_servers
from collab4m.embedded.supervisor import Supervisor


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m collab4m.embedded")
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="start the portal and keep it alive")
    run.add_argument(
        "--once",
        action="store_true",
        help="start all, wait for the reports that are due, do one job through the queue, stop",
    )
    run.add_argument("--reload", action="store_true", help="start web, worker and beat anew when code changes")
    servers = verbs.add_parser("with-servers", help="run a command with a PostgreSQL and a Redis of its own")
    servers.add_argument("--data", type=Path, required=True)
    servers.add_argument("command", nargs="+")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    if not sys.platform.startswith("linux"):
        raise Trouble("The embedded servers need Linux. Elsewhere use it in a Linux container or virtual machine.")
    if asked.verb == "with-servers":
        return with_servers(asked.data.absolute(), asked.command)
    data_dir = Path(os.environ.get("DATA_DIR") or ROOT / ".data").absolute()
    return Supervisor(data_dir, once=asked.once, reload=asked.reload).run()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Trouble as trouble:
        sys.exit(f"\n{trouble}")
    except OSError as error:
        sys.exit(f"\n{in_one_sentence(error)}")
