"""Documents and images set with Typst, each in a process of its own.

Typst keeps what it has laid out for as long as its process lives, which a worker that makes many documents cannot
afford. As a program this file takes an order as JSON and writes what was made. It imports nothing of the portal, so
that it starts at once.
"""

import json
import subprocess
import sys
from typing import Any

LONGEST_SECONDS = 600  # far beyond what the largest area takes


class TypesettingFailed(Exception):
    """The template is at fault, or the process was ended; the end of what it said. Content never is the cause."""


def typeset(template: str, *, fonts: str, inputs: dict[str, str], **options: Any) -> bytes:
    """What Typst makes of the template at this path, or of this markup; `options` are those of `typst.compile`."""
    order = {"template": template, "font_paths": [fonts], "sys_inputs": inputs, **options}
    program = [sys.executable, "-I", __file__]
    done = subprocess.run(program, input=json.dumps(order).encode(), capture_output=True, timeout=LONGEST_SECONDS)
    if done.returncode:
        raise TypesettingFailed(done.stderr.decode(errors="replace")[-2000:])
    return done.stdout


def _set(template: str, **order: Any) -> bytes:
    import typst

    source = template if template.endswith(".typ") else template.encode()
    made: bytes = typst.compile(source, ignore_system_fonts=True, **order)
    return made


if __name__ == "__main__":
    sys.stdout.buffer.write(_set(**json.load(sys.stdin)))
