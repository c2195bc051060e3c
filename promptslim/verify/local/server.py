"""The HTTP server: paths of bedrock-runtime, of batch inference jobs, of chat completions, and of S3."""

from __future__ import annotations

import base64
import importlib
import json
import pkgutil
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, unquote

from promptslim.verify.local import converse, families, framing
from promptslim.verify.local.exchange import Chat, Refused, Reply, invalid
from promptslim.verify.local.faults import EXCEPTIONS, told
from promptslim.verify.local.jobs import FEWEST_RECORDS, Jobs
from promptslim.verify.local.objects import Objects, Response
from promptslim.verify.local.service import Received, Service

_UNKNOWN = "UnknownOperationException"
_STATUS = {**EXCEPTIONS, _UNKNOWN: 404}
_LARGEST = 256_000_000
_STREAMS = ("converse-stream", "invoke-with-response-stream")
_MODULES = {"invoke", *_STREAMS, "converse", "count-tokens"}


class LocalServer:
    """A server on 127.0.0.1, running in threads until ``close``. Use it as a context manager."""

    def __init__(
        self, service: Service, *, port: int = 0, fewest_records: int = FEWEST_RECORDS, job_seconds: float = 0.0
    ) -> None:
        """``port`` 0: any free one. ``fewest_records`` make a batch job, which starts after ``job_seconds``. Raises
        OSError where the port cannot be had."""
        self.service = service
        self.objects = Objects()
        self.jobs = Jobs(self.objects, self._record, service.faults.take, fewest=fewest_records, seconds=job_seconds)
        handler = type("BoundHandler", (_Handler,), {"local": self})
        self._http = _Http(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def __enter__(self) -> LocalServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._http.server_close()

    def wait(self) -> None:
        """Serve until the process is interrupted."""
        self._thread.join()

    def _record(self, kind: str, model: str, body: Mapping[str, Any]) -> tuple[Reply, dict[str, Any]]:
        form: Any = converse if kind == "Converse" else self.family(model)
        reply = self.service.answer(_read(form, model, body), batch=True)
        return reply, form.write(reply)

    def family(self, model: str) -> ModuleType:
        """The format of a model's bodies. Raises Refused."""
        facts = self.service.model(model)
        module = family_modules().get((facts.body if facts else None) or "")
        if module is None:
            raise invalid("The format of this model's body is not known to this server.")
        return module


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


@cache
def family_modules() -> Mapping[str, ModuleType]:
    """Name of a body format -> its module."""
    found = pkgutil.iter_modules(families.__path__)
    modules = [importlib.import_module(f"{families.__name__}.{one.name}") for one in found]
    return {name: module for module in modules for name in module.BODIES}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 300
    """Seconds in which nothing comes from a client, after which it is given up."""
    disable_nagle_algorithm = True
    local: LocalServer

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the caller knows what it sent."""

    def do_GET(self) -> None:
        """A job, or an object."""
        self._serve()

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        try:
            body = self._body()
            if not self.headers.get("Authorization", "").startswith(("AWS4-HMAC-SHA256", "Bearer ")):
                raise Refused("AccessDeniedException", "The request has no signature.")
            self._route(path, query, body)
        except Refused as error:
            self._refuse(error)
        except OSError:
            self.close_connection = True
        except Exception as error:  # noqa: BLE001 (whatever the answers or the request hold, the client gets an answer)
            self._refuse(Refused("InternalServerException", f"{type(error).__name__}: {error}"))

    def _body(self) -> bytes:
        """The whole body. Raises Refused; the connection is then of no more use."""
        self.close_connection, goes_on = True, self.close_connection
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            data = self._chunked()
        else:
            length = self.headers.get("Content-Length") or "0"
            if not length.isdecimal() or int(length) > _LARGEST:
                raise invalid(f"Malformed input request: a Content-Length of {length[:40]!r}.")
            data = self.rfile.read(int(length))
            if len(data) < int(length):
                raise invalid("Malformed input request: the body is shorter than its Content-Length.")
        self.close_connection = goes_on
        return data

    def _chunked(self) -> bytes:
        data = bytearray()
        while True:
            size = self.rfile.readline(100).split(b";")[0].strip()
            try:
                length = int(size, 16)
            except ValueError:
                raise invalid("Malformed input request: a chunk without its length.") from None
            if not 0 <= length <= _LARGEST - len(data):
                raise invalid("Malformed input request: too large.")
            if not length:
                while self.rfile.readline(1000).strip():
                    pass  # trailers
                return bytes(data)
            data += self.rfile.read(length)
            self.rfile.readline(100)

    def _route(self, path: str, query: str, body: bytes) -> None:
        parts = [unquote(part) for part in path.split("/")[1:]]
        match [self.command, *parts]:
            case ["POST", "model", model, operation] if operation in _MODULES:
                self._faulty(lambda fault: self._model(model, operation, _json(body), fault))
            case ["POST", *_, "chat", "completions"]:
                self._faulty(lambda fault: self._completions(_json(body), fault))
            case ["POST", "model-invocation-job"]:
                self._faulty(lambda fault: self._send_json(self.local.jobs.create(_json(body), fault)))
            case ["GET", "model-invocation-jobs"]:
                self._send_json(self.local.jobs.every(dict(parse_qsl(query))))
            case ["GET", "model-invocation-job", name]:
                self._send_json(self.local.jobs.get(name))
            case ["POST", "model-invocation-job", name, "stop"]:
                self._send_json(self.local.jobs.stop(name))
            case _ if "/bedrock/aws4_request" in self.headers.get("Authorization", ""):
                raise Refused(_UNKNOWN, f"{self.command} {path}: this server does not know the operation.")
            case _:
                found = self.local.objects.respond(self.command, unquote(path), query, dict(self.headers), body)
                self._send(found)

    def _faulty(self, act: Callable[[str], None]) -> None:
        """Do what a fault asks for, then, unless it ended the request, ``act``, which sees faults of streams."""
        fault = self.local.service.faults.take()
        kind, _, rest = fault.partition(":")
        match kind:
            case "stall":
                time.sleep(float(rest))
                act("ok")
            case "reset":
                self._reset()
            case "malformed":
                self._send(Response(200, b'{"output": {"mess', (("Content-Type", "application/json"),)))
            case "empty":
                self._send_json({})
            case _ if told(fault)[0] in EXCEPTIONS:
                raise Refused(*told(fault))
            case _:
                act(fault)

    def _model(self, model: str, operation: str, body: dict[str, Any], fault: str) -> None:
        service = self.local.service
        metadata = _metadata(operation, body, self.headers.get("X-Amzn-Bedrock-Request-Metadata"))
        tier = _tier(operation, body, self.headers.get("X-Amzn-Bedrock-Service-Tier"))
        service.received.append(Received(operation, model, metadata, tier))
        if operation == "count-tokens":
            service.check_counted(model)
            self._send_json({"inputTokens": service.input_tokens(self._counted(model, body.get("input") or {}))})
            return
        form: Any = converse if operation.startswith("converse") else self.local.family(model)
        reply = service.answer(_read(form, model, body))
        match operation:
            case "converse":
                self._send_json({**form.write(reply), "serviceTier": {"type": tier}})
            case "invoke":
                served = ("X-Amzn-Bedrock-Service-Tier", tier)
                self._send_json(form.write(reply), (*_token_headers(reply), served))
            case "converse-stream":
                served_by = {"metadata": {"serviceTier": {"type": tier}}}
                frames = (framing.event(name, event | served_by.get(name, {})) for name, event in form.events(reply))
                self._send_stream(frames, fault)
            case _:
                chunks = [*form.chunks(reply)]
                chunks[-1]["amazon-bedrock-invocationMetrics"] = _metrics(reply)
                frames = (framing.event("chunk", {"bytes": _base64(chunk)}) for chunk in chunks)
                self._send_stream(frames, fault)

    def _counted(self, model: str, given: Mapping[str, Any]) -> Chat:
        match given:
            case {"converse": dict(request)}:
                messages = request.get("messages") or [{"role": "user", "content": [{"text": ""}]}]
                return _read(converse, model, {**request, "messages": messages})
            case {"invokeModel": {"body": str(encoded)}}:
                return _read(self.local.family(model), model, _json(base64.b64decode(encoded)))
        raise invalid("input needs converse or invokeModel")

    def _completions(self, body: dict[str, Any], fault: str) -> None:
        """Chat completions, as at Bedrock's /openai/v1, for any model."""
        form: Any = family_modules()["openai_like"]
        model = str(body.get("model", ""))
        self.local.service.received.append(Received("chat.completions", model, body.get("metadata") or {}))
        del fault
        self._send_json(form.write(self.local.service.answer(_read(form, model, body))))

    def _send_stream(self, frames: Iterable[bytes], fault: str) -> None:
        """The frames in chunks; a fault comes after the second one."""
        self.send_response(200)
        self.send_header("Content-Type", framing.CONTENT_TYPE)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, frame in enumerate(frames):
            match fault.partition(":")[2]:
                case _ if number < 2 or not fault.startswith("stream:"):
                    self._chunk(frame)
                case "reset":
                    self._reset()
                    return
                case "malformed":
                    self._chunk(frame[:-1] + bytes([frame[-1] ^ 0xFF]))
                    break
                case _:
                    self._chunk(framing.exception(*told(fault)))
                    break
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _reset(self) -> None:
        """Close the connection with a reset instead of an end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        raise OSError("reset to order")

    def _refuse(self, error: Refused) -> None:
        body = json.dumps({"message": error.message}).encode()
        headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", error.kind))
        try:
            self._send(Response(_STATUS[error.kind], body, headers))
        except OSError:
            self.close_connection = True

    def _send_json(self, body: Mapping[str, Any], headers: tuple[tuple[str, str], ...] = ()) -> None:
        self._send(Response(200, json.dumps(body).encode(), (("Content-Type", "application/json"), *headers)))

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("x-amzn-RequestId", "00000000-0000-0000-0000-000000000000")
        for name, value in response.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)


def _read(form: Any, model: str, body: Mapping[str, Any]) -> Chat:  # noqa: ANN401 (a module)
    """The chat in a body. Raises Refused, whatever is wrong with it."""
    try:
        chat: Chat = form.read(model, body)
    except (TypeError, AttributeError, KeyError, IndexError, ValueError) as error:
        raise invalid(f"Malformed input request: {error}") from None
    return chat


def _json(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data or b"{}")
    except ValueError:
        raise invalid("Malformed input request: not JSON") from None
    if not isinstance(body, dict):
        raise invalid("Malformed input request: not an object")
    return body


def _metadata(operation: str, body: Mapping[str, Any], header: str | None) -> Mapping[str, str]:
    pairs = body.get("requestMetadata") if operation.startswith("converse") else header and _json(header.encode())
    converse.check_metadata(pairs)
    return pairs or {}


def _tier(operation: str, body: Mapping[str, Any], header: str | None) -> str:
    """The tier that a request asks for. Raises Refused."""
    block = body.get("serviceTier") if operation.startswith("converse") else None
    tier = block.get("type") if isinstance(block, dict) else header
    if tier is not None:
        converse.check_tier(tier)
    return tier or "default"


def _token_headers(reply: Reply) -> tuple[tuple[str, str], ...]:
    usage = reply.usage
    values = {
        "Input-Token-Count": usage.fresh,
        "Output-Token-Count": usage.output,
        "Cache-Read-Input-Token-Count": usage.read,
        "Cache-Write-Input-Token-Count": usage.write_5m + usage.write_1h,
        "Invocation-Latency": reply.milliseconds,
    }
    return tuple((f"X-Amzn-Bedrock-{name}", str(value)) for name, value in values.items())


def _metrics(reply: Reply) -> dict[str, int]:
    usage = reply.usage
    return {
        "inputTokenCount": usage.fresh,
        "outputTokenCount": usage.output,
        "invocationLatency": reply.milliseconds,
        "firstByteLatency": reply.milliseconds,
        "cacheReadInputTokenCount": usage.read,
        "cacheWriteInputTokenCount": usage.write_5m + usage.write_1h,
    }


def _base64(chunk: Mapping[str, Any]) -> str:
    return base64.b64encode(json.dumps(chunk).encode()).decode()
