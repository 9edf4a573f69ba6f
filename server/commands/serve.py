"""`acetate serve`: the server that the editors and scripts talk to."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..command_line import acceleration


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add where to listen and what to run on."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; anything but loopback needs TLS or --insecure")
    name = "a DNS name by which others reach this computer"
    parser.add_argument("--name", dest="names", action="append", default=[], metavar="NAME", help=name)
    parser.add_argument("--port", type=int, help="0 means any free port (default: 22380, or any free one when that is taken)")
    parser.add_argument("--device", metavar="NAME[,NAME]", help="cpu, cuda, cuda:1, mps or xpu; one worker each")
    cluster = "also run jobs in this Ray cluster, a worker on each GPU: HOST:PORT of its head, or auto (docs/scaling.md)"
    parser.add_argument("--ray", metavar="ADDRESS", help=cluster)
    parser.add_argument("--ray-workers", type=int, metavar="N", help="so many workers on the cluster's CPUs instead")
    parser.add_argument("--preload", action="append", default=[], metavar="MODEL", help="open this model at once")
    parser.add_argument("--tls-certificate", type=Path, metavar="FILE")
    parser.add_argument("--tls-key", type=Path, metavar="FILE")
    parser.add_argument(
        "--insecure", action="store_true", help="listen beyond this machine without TLS: anyone on the way can read and change"
    )
    acceleration.add_option(parser)
    parser.add_argument("--compile", dest="acceleration", action="store_const", const="compiled", help=argparse.SUPPRESS)
    parser.add_argument("--engine", default=None, help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> int:
    """Serve until stopped; returns the exit code."""
    from ..http.serve import serve
    from ..settings import ENGINE

    return serve(
        options.host,
        options.port,
        options.device,
        options.preload,
        names=options.names,
        tls_certificate=options.tls_certificate,
        tls_key=options.tls_key,
        insecure=options.insecure,
        engine=options.engine or ENGINE,
        acceleration=options.acceleration,
        ray=options.ray,
        ray_workers=options.ray_workers,
    )
