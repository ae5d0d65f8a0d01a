"""Makes what a checkout needs before it can start: `.venv`, npm packages, theme, fonts, Swedish catalogues.

Run by the Makefile with whatever Python the machine has, before `.venv` exists: standard library only, and the first
lines must be understood by old Pythons. Every step is skipped while what it was made from is unchanged.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("collab4m needs Python 3.11 or newer. Name one with: make run PYTHON=python3.11\nThis is " + sys.version)

import errno
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BUILD = ROOT / "build"
PYTHON = VENV / "bin" / "python"
STARTED = time.monotonic()


class Trouble(Exception):
    """Something the person at the keyboard must put right, in one sentence."""


def say(text: str) -> None:
    print(f"{time.monotonic() - STARTED:6.1f} s  {text}", flush=True)


def fingerprint(paths: Iterable[Path], *words: str) -> str:
    """A hash of the files' content and the words."""
    digest = hashlib.sha256("\n".join(words).encode())
    for path in sorted(paths):
        digest.update(f"\n{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def once(stamp: Path, made_from: str, text: str, step: Callable[[], None]) -> None:
    """Do the step, unless its stamp says that it was done from the same inputs."""
    if stamp.is_file() and stamp.read_text() == made_from:
        return
    say(text)
    stamp.unlink(missing_ok=True)
    step()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(made_from)


def run(*command: str | Path, why: str) -> None:
    """Run a command quietly. Raises Trouble with the end of what it said if it fails."""
    environment = {**os.environ, "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    )  # fmt: skip
    if done.returncode == 0:
        return
    refuse_full_disk(done.stdout, ROOT)
    raise Trouble(f"{why}. The command {Path(str(command[0])).name!r} said:\n{tail(done.stdout, 15)}")


def refuse_full_disk(said: str, where: Path) -> None:
    """Raises the OSError for a full disk if that is what a failed command complains about."""
    if any(words in said for words in ("No space left on device", "ENOSPC", "Disk quota exceeded")):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(where))


def tail(text: str, lines: int) -> str:
    return "\n".join("    " + line for line in text.rstrip().splitlines()[-lines:])


# The steps


def virtual_environment() -> None:
    """`.venv` with this Python; made anew when it is broken or belongs to another version."""
    version = ".".join(map(str, sys.version_info[:2]))
    if PYTHON.exists():
        asked = subprocess.run(
            [str(PYTHON), "-c", "import sys, pip; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
        )
        if asked.stdout.strip() == version:
            return
    specs = [importlib.util.find_spec(name) for name in ("ensurepip", "venv")]
    if any(spec is None or not spec.origin for spec in specs):
        raise Trouble(
            f"Python {version} cannot make virtual environments here, because its venv package is missing. "
            f"Install it, on Debian and Ubuntu with: apt-get install python{version}-venv"
        )
    say(f"Making .venv with Python {version}.")
    run(sys.executable, "-m", "venv", "--clear", VENV, why="The virtual environment .venv could not be made")


def python_packages(which: str) -> None:
    lock = ROOT / "requirements" / f"{which}.txt"
    once(
        VENV / f"{which}.made-from",
        fingerprint([lock], sys.version),
        f"Installing the Python packages of {lock.relative_to(ROOT)}.",
        lambda: run(
            PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--no-input",
            "--disable-pip-version-check", "-r", lock, why="The Python packages could not be installed",
        ),
    )  # fmt: skip


def npm_packages() -> None:
    inputs = [ROOT / "package.json", ROOT / "package-lock.json", ROOT / ".npmrc"]
    once(
        ROOT / "node_modules" / ".made-from",
        fingerprint(inputs),
        "Installing the npm packages of package-lock.json.",
        lambda: run(VENV / "bin" / "npm", "ci", "--no-progress", why="The npm packages could not be installed"),
    )


def theme() -> None:
    config = ROOT / "designsystemet.config.json"
    cli: list[str | Path] = [
        VENV / "bin" / "node",
        ROOT / "node_modules/@digdir/designsystemet/dist/bin/designsystemet.js",
        "tokens",
    ]

    def make() -> None:
        run(*cli, "create", "--clean", "--config", config, why="The theme's tokens could not be made")
        run(*cli, "build", "--clean", "--config", config, "-t", BUILD / "tokens", "-o", BUILD / "theme",
            why="The theme could not be built")  # fmt: skip

    once(BUILD / "theme" / ".made-from", fingerprint([config, ROOT / "package-lock.json"]), "Building the theme.", make)


def fonts() -> None:
    """Source Sans 3 in the two weights and two subsets the pages use."""
    source, target = ROOT / "node_modules/@fontsource/source-sans-3", BUILD / "font"

    def make() -> None:
        shutil.rmtree(target, ignore_errors=True)
        (target / "files").mkdir(parents=True)
        for weight in ("400", "600"):
            faces = re.findall(r"@font-face \{.*?\n\}", (source / f"{weight}.css").read_text(), re.DOTALL)
            kept = [face for face in faces if re.search(r"sans-3-latin(-ext)?-", face)]
            for name in re.findall(r"files/([\w-]+\.woff2)", "".join(kept)):
                shutil.copyfile(source / "files" / name, target / "files" / name)
            sheet = re.sub(r", url\([^)]*\.woff\) format\('woff'\)", "", "\n".join(kept))
            (target / f"{weight}.css").write_text(sheet + "\n")
        shutil.copyfile(source / "LICENSE", target / "LICENSE")

    once(target / ".made-from", fingerprint([ROOT / "package-lock.json"], "400 600"), "Copying the fonts.", make)


def document_fonts() -> None:
    """The same typeface for documents, whole, with Arabic and Hebrew beside it."""
    source, target = ROOT / "node_modules/@expo-google-fonts", BUILD / "document-font"

    def make() -> None:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for family in ("source-sans-3", "noto-sans-arabic", "noto-sans-hebrew"):
            for weight in ("400Regular", "600SemiBold"):
                for face in (source / family / weight).glob(f"*_{weight}.ttf"):
                    shutil.copyfile(face, target / face.name)
            shutil.copyfile(source / family / "LICENSE_FONT", target / f"LICENSE-{family}")

    once(target / ".made-from", fingerprint([ROOT / "package-lock.json"]), "Copying the documents' fonts.", make)


def catalogues() -> None:
    """The Swedish texts, compiled by Babel because gettext's own tools may be missing."""
    for source in sorted(ROOT.glob("locale/*/LC_MESSAGES/django.po")):
        target = source.with_suffix(".mo")
        language = source.parts[-3]
        stamp = BUILD / "locale" / language
        if not target.exists():
            stamp.unlink(missing_ok=True)
        make = partial(compile_catalogue, source, target, language)
        once(stamp, fingerprint([source]), f"Compiling the texts in {language!r}.", make)


def compile_catalogue(source: Path, target: Path, language: str) -> None:
    why = f"{source.relative_to(ROOT)} could not be compiled"
    run(VENV / "bin" / "pybabel", "compile", "-i", source, "-o", target, "-l", language, why=why)
    if not target.exists():  # Babel passes over a catalogue whose head is marked fuzzy, and calls that success
        raise Trouble(f"{why}: its head is marked fuzzy.")


def browser() -> None:
    """Chromium for the page tests; installed when we may, else named."""
    if shutil.which("chromium") or shutil.which("chromium-browser") or os.environ.get("CHROMIUM"):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say("Installing Chromium for the page tests.")
        os.environ["DEBIAN_FRONTEND"] = "noninteractive"
        run("apt-get", "update", "-q", why="The package lists could not be read")
        run(
            "apt-get",
            "install",
            "-y",
            "-q",
            "--no-install-recommends",
            "chromium",
            why="Chromium could not be installed",
        )
        return
    raise Trouble(
        "The tests need Chromium. Install it, on Debian with: apt-get install chromium "
        "(or set CHROMIUM to the path of the program)."
    )


def make_all(for_tests: bool) -> None:
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is at work in this folder; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        virtual_environment()
        python_packages("run")
        if for_tests:
            python_packages("test")
        npm_packages()
        theme()
        fonts()
        document_fonts()
        catalogues()
        if for_tests:
            browser()


def in_one_sentence(error: OSError) -> str:
    """What a person can do about it, for the faults of disk and permission; the system's own words for others."""
    where = error.filename or ROOT
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"The disk that holds {where} is full. Free some space and run the same command again."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"This user may not write {where}. Make the folder your own, or use a copy that is."
    return f"{error.strerror or error}: {where}"


def main() -> None:
    try:
        make_all(for_tests="test" in sys.argv[1:])
    except Trouble as trouble:
        sys.exit(f"\n{trouble}")
    except OSError as error:
        sys.exit(f"\n{in_one_sentence(error)}")
    except KeyboardInterrupt:
        sys.exit("\nStopped before the set-up was complete; the next run goes on from here.")


if __name__ == "__main__":
    main()
