"""``python -m promptslim.verify.local``: run the server until it is interrupted."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from promptslim.verify.local.answers import ScriptError, echo, from_file
from promptslim.verify.local.exchange import Source
from promptslim.verify.local.faults import KNOWN
from promptslim.verify.local.quota import Quota
from promptslim.verify.local.server import LocalServer
from promptslim.verify.local.service import Service
from promptslim.verify.local.small_model import NoModelError, SmallModel

_CLIENT = """\
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_BEARER_TOKEN_BEDROCK
"""
"""What a client needs beside the address: botocore signs with some key, and sends a bearer token over https only."""


def main() -> int:
    """Serve, and say at which address."""
    options = _options()
    try:
        service = Service(
            _source(options), faults=options.fault, quota=Quota(options.tokens_per_minute, options.requests_per_minute)
        )
        server = LocalServer(service, port=options.port, fewest_records=options.fewest_records)
    except (ScriptError, NoModelError, ValueError) as error:
        sys.stderr.write(f"promptslim: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"promptslim: port {options.port}: {error.strerror}; choose another with --port\n")
        return 2
    names = ("BEDROCK_RUNTIME", "BEDROCK", "S3")
    sys.stdout.write("".join(f"export AWS_ENDPOINT_URL_{name}={server.url}\n" for name in names) + _CLIENT)
    sys.stdout.flush()
    # A shell starts what runs in the background with interrupts ignored: such a server is ended by terminate.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.wait()
    except KeyboardInterrupt:
        server.close()
    return 0


def _source(options: argparse.Namespace) -> Source:
    if options.small_model:
        return SmallModel(options.weights)
    return from_file(options.answers) if options.answers else echo


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to 65535")
    return int(text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m promptslim.verify.local",
        description="A server on this machine that speaks the protocol of Amazon Bedrock. It prints the environment "
        "that leads clients to it: copy these lines into the shell of the client. Without --answers and --small-model "
        "it repeats the last message.",
        epilog='Answers: a JSON list of answers that are given in turn; or {"rules": [{"match": REGEX, "text": '
        "ANSWER}, ...]}, where the first rule counts whose REGEX is found in the prompt; or a Python file with a "
        f"function answer(chat). Faults: {', '.join(KNOWN)}; an exception may be followed by =MESSAGE.",
    )
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="default: any free port")
    parser.add_argument("--answers", type=Path, help="script of answers: .json or .py")
    parser.add_argument("--small-model", action="store_true", help="answer with a small model on this machine")
    parser.add_argument("--weights", type=Path, help="GGUF file of the small model")
    parser.add_argument(
        "--fault", action="append", default=[], help="fault of the next request; may be repeated", metavar="NAME"
    )
    parser.add_argument("--tokens-per-minute", type=_count, metavar="N", help="quota; default: none")
    parser.add_argument("--requests-per-minute", type=_count, metavar="N", help="quota; default: none")
    parser.add_argument(
        "--fewest-records", type=_count, default=100, metavar="N", help="records that a batch job needs (default 100)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
