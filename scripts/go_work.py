"""What the jobs of scripts/go-programs share: running a program or a server in a folder of its own, and what it left.
Servers listen on 127.0.0.1 or in that folder, and are asked to end when the job has done with them."""
import contextlib
import hashlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

LIMIT = 120


class Failure(Exception):
    """The program did not do its job."""


class Unsuited(Exception):
    """This machine does not allow the job."""


class Work:
    """A new folder, and the executables of a program."""

    def __init__(self, folder, paths, originals, packages, house):
        self.folder, self.paths, self.originals, self.house = folder, paths, originals, house
        tools = [f"{package}/usr/{part}" for package in packages for part in ("bin", "sbin")]
        libraries = [f"{package}/usr/lib/x86_64-linux-gnu" for package in packages]
        self.environment = {"HOME": folder, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder,
                            "XDG_CACHE_HOME": folder, "XDG_RUNTIME_DIR": folder, "LANG": "C.UTF-8", "TMPDIR": folder,
                            "PATH": ":".join(tools + [os.environ["PATH"]]), "LD_LIBRARY_PATH": ":".join(libraries)}

    def root_of_go(self):
        """Of the installation that the program `go` is from."""
        return os.path.dirname(os.path.dirname(self.originals["go"]))

    def file(self, name, content):
        path = f"{self.folder}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, program, *arguments, stdin=b"", status=0, **environment):
        """What it writes to standard output."""
        try:
            done = subprocess.run([self.paths[program], *arguments], input=stdin, cwd=self.folder, capture_output=True,
                                  env=self.environment | environment, timeout=LIMIT, check=False)
        except subprocess.TimeoutExpired:
            raise Failure(f"{program} did not end within {LIMIT} s") from None
        if done.returncode != status:
            raise Failure(f"{program} {' '.join(arguments)[:60]} exited with {done.returncode}: {line_of(done.stderr)}")
        return done.stdout

    def load(self, port, path):
        """Has wrk make requests of a server for two seconds, on 64 connections. What it says of them are times."""
        load = [shutil.which("wrk", path=self.environment["PATH"]), "-t2", "-c64", "-d2s",
                f"http://127.0.0.1:{port}{path}"]
        try:
            done = subprocess.run(load, capture_output=True, env=self.environment, timeout=LIMIT, check=False)
        except subprocess.TimeoutExpired:
            raise Failure(f"wrk did not end within {LIMIT} s") from None
        said = done.stdout.decode()
        match = re.search(r"^ +(\d+) requests in ", said, re.MULTILINE)
        if done.returncode != 0 or not match or int(match.group(1)) == 0:
            raise Failure(f"wrk exited with {done.returncode}: {line_of(done.stderr or done.stdout)}")
        for problem in ("Socket errors:", "Non-2xx or 3xx responses:"):
            if problem in said:
                raise Failure(f"under load: {said[said.index(problem):].splitlines()[0]}")

    @contextlib.contextmanager
    def server(self, program, *arguments, ready, below=()):
        """Runs it until the block ends, started by the command `below`; `ready` says when it answers."""
        log = open(f"{self.folder}/{program}.log", "w+b")
        server = subprocess.Popen([*below, self.paths[program], *arguments], cwd=self.folder, stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=log, env=self.environment, start_new_session=True)

        def said():
            log.flush()
            log.seek(0)
            return line_of(log.read())
        try:
            end = time.monotonic() + LIMIT
            while not ready():
                if server.poll() is not None:
                    raise Failure(f"{program} exited with {server.returncode}: {said()}")
                if time.monotonic() > end:
                    raise Failure(f"{program} does not answer: {said()}")
                time.sleep(0.02)
            yield server
            if server.poll() is not None:
                raise Failure(f"{program} exited with {server.returncode}: {said()}")
            server.send_signal(signal.SIGTERM)
            if server.wait(LIMIT) not in (0, -signal.SIGTERM):
                raise Failure(f"{program} exited with {server.returncode}: {said()}")
        except subprocess.TimeoutExpired:
            raise Failure(f"{program} did not end when it was asked to") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()
            log.close()

    def texts(self, name, count=40):
        """A folder of files that differ."""
        for index in range(count):
            lines = [f"{line} {hashlib.sha256(f'{index}-{line}'.encode()).hexdigest()}\n" for line in range(50 * index)]
            self.file(f"{name}/{index % 5}/{index}.txt", "".join(lines))
        return f"{self.folder}/{name}"


def line_of(text):
    """The line that says most: of an end by the runtime, or the last."""
    lines = [line for line in text.decode(errors="replace").splitlines() if line.strip()]
    fatal = [line for line in lines if "fatal error" in line or line.startswith("panic:")]
    return (fatal or lines[-1:] or ["no message"])[0][:200]


def tree(folder):
    """Every file below it with a hash of its content."""
    rows = []
    for parent, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                rows.append(f"{os.path.relpath(path, folder)} {hashlib.sha256(file.read()).hexdigest()}")
    if not rows:
        raise Failure(f"{os.path.basename(folder)} is empty")
    return "\n".join(sorted(rows)).encode()


def difference(expected, answer):
    """The first line that differs."""
    for one, other in zip(expected.splitlines(), answer.splitlines()):
        if one != other:
            return f"{one[:80]!r} became {other[:80]!r}"
    return f"{len(expected)} bytes became {len(answer)}"


def is_open(port):
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetched(port, paths, clients=4, rounds=25):
    """The answers that so many clients get, each path so many times: {(path, status, hash)}."""
    answers, problems = set(), []

    def client():
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
            for _ in range(rounds):
                for path in paths:
                    connection.request("GET", path)
                    answer = connection.getresponse()
                    answers.add((path, answer.status, hashlib.sha256(answer.read()).hexdigest()))
        except (OSError, http.client.HTTPException) as error:
            problems.append(str(error))
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise Failure(f"a request failed: {problems[0]}")
    return "\n".join(map(str, sorted(answers))).encode()
