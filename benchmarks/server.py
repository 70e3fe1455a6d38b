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
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.canned import DOCUMENT

BASE: Final = "BENCHMARKS_BASE"
"""The environment variable with the base URL of an SDK."""

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
        {tls}
        location /users/ {{ default_type application/json; return 200 '{document}'; }}
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
        tls_base: The start of its HTTPS URLs; empty without the package `trustme`.
        environment: Variables for a client's process: the base URL of an SDK, and the authority
            that signed the certificate.
    """

    name: str
    bases: list[str]
    tls_base: str
    environment: dict[str, str]


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
        port, tls_port = _free_ports(2)
        certificate = _certificate(folder)
        if program is None:
            name = "the embedded server (nginx is not installed)" if nginx else "embedded"
            numbers = (str(port), str(large), str(tls_port))
            command = [sys.executable, "-m", "benchmarks.canned", *numbers, certificate, *addresses]
        else:
            name = _version(program)
            listen = [f"listen {address}:{port};" for address in addresses]
            if certificate:
                listen.append(f"listen {addresses[0]}:{tls_port} ssl;")
            command = _nginx(program, folder, large, listen, certificate)
        process = subprocess.Popen(command, preexec_fn=lambda: pin(core))  # noqa: PLW1509  # Linux
        stack.callback(_end, process)
        _await(addresses[-1], port, process)
        bases = [f"http://{address}:{port}" for address in addresses]
        tls_base = f"https://{addresses[0]}:{tls_port}" if certificate else ""
        environment = {BASE: bases[0], "SSL_CERT_FILE": str(folder / "authority.pem")}
        yield Server(name, bases, tls_base, environment if certificate else {BASE: bases[0]})


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
    program: str, folder: Path, large: int, listen: Sequence[str], certificate: str
) -> list[str]:
    with (folder / "large").open("wb") as file:
        file.truncate(large)
    tls = f"ssl_certificate {certificate}; ssl_certificate_key {certificate};"
    text = _NGINX.format(
        folder=folder,
        listen=" ".join(listen),
        tls=tls if certificate else "",
        document=DOCUMENT.decode(),
    )
    # Started by root it would look for files as `nobody`, who may not enter the folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(user + text, encoding="ascii")
    return [program, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def _certificate(folder: Path) -> str:
    """Write a certificate for loopback; return its file, empty without the package `trustme`."""
    if find_spec("trustme") is None:
        return ""
    authority = import_module("trustme").CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    file = folder / "certificate.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(file)
    return str(file)


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(number)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in listeners]


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
