"""The server that is asked: nginx where it is installed, otherwise an embedded one."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.canned import DOCUMENT

_PATIENCE: Final = 10.0  # seconds for a server to come up
_NGINX: Final = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_timeout 3600s;
    keepalive_requests 1000000000;
    sendfile on;
    tcp_nodelay on;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{
        {listen}
        location = /json {{ default_type application/json; return 200 '{document}'; }}
        location = /large {{ default_type application/octet-stream; alias {folder}/large; }}
    }}
}}
"""


class Server(NamedTuple):
    """A server that is up.

    Attributes:
        name: What it is, with its version.
        bases: The start of its URLs, one for each of its addresses.
    """

    name: str
    bases: list[str]


@contextmanager
def running(
    *, large: int = 1024, hosts: int = 1, core: int | None = None, nginx: bool = True
) -> Iterator[Server]:
    """Run a server on loopback.

    Args:
        large: How many bytes `/large` has.
        hosts: On how many addresses it listens: 127.0.0.1, 127.0.0.2 and so on.
        core: The core it runs on, None for any.
        nginx: Whether it may be nginx.
    """
    program = _find_nginx() if nginx else None
    addresses = [f"127.0.0.{number}" for number in range(1, hosts + 1)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = _free_port()
        if program is None:
            name = "the embedded server (nginx is not installed)" if nginx else "embedded"
            command = [sys.executable, "-m", "benchmarks.canned", str(port), str(large), *addresses]
        else:
            name = _version(program)
            command = _nginx(program, folder, port, large, addresses)
        process = subprocess.Popen(command, preexec_fn=lambda: pin(core))  # noqa: PLW1509  # Linux
        stack.callback(_end, process)
        _await(addresses[-1], port, process)
        yield Server(name, [f"http://{address}:{port}" for address in addresses])


def pin(core: int | None) -> None:
    """Keep this process on one core, where the system can."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def cores() -> tuple[int | None, int | None]:
    """Give a core for the server and one for its clients; None where there is only one."""
    if hasattr(os, "sched_getaffinity"):
        available = sorted(os.sched_getaffinity(0))
        if len(available) > 1:
            return available[0], available[1]
    return None, None


def _find_nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def _version(program: str) -> str:
    shown = subprocess.run([program, "-v"], capture_output=True, text=True, check=True)
    return shown.stderr.partition(":")[2].strip()


def _nginx(
    program: str, folder: Path, port: int, large: int, addresses: Sequence[str]
) -> list[str]:
    with (folder / "large").open("wb") as file:
        file.truncate(large)
    listen = " ".join(f"listen {address}:{port};" for address in addresses)
    text = _NGINX.format(folder=folder, listen=listen, document=DOCUMENT.decode())
    # Started by root it would look for files as `nobody`, who may not enter the folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(user + text, encoding="ascii")
    return [program, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        number: int = listener.getsockname()[1]
        return number


def _await(address: str, port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection((address, port), 1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait()
