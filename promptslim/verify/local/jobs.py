"""Batch inference jobs: JSON Lines from S3 in, answers and a manifest out.

Shapes: service model of botocore 1.44.5; names of the output files and the manifest: AWS Bedrock user guide, pages on
batch inference, 2026. A job runs in a thread of its own.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from promptslim.verify.local.exchange import Refused, Reply, invalid
from promptslim.verify.local.faults import EXCEPTIONS, told
from promptslim.verify.local.objects import Objects

FEWEST_RECORDS = 100
"""Records that a job must have: the default of the service's quota."""

Ask = Callable[[str, str, Mapping[str, Any]], tuple[Reply, dict[str, Any]]]
"""Type of invocation, model id and input of a record -> the reply and the output. Raises Refused."""

_ACCOUNT = "arn:aws:bedrock:us-east-1:123456789012"
_DONE = ("Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired")


class Job:
    """One job; its state is read and written under the lock of ``Jobs``."""

    def __init__(self, arn: str, request: Mapping[str, Any], ends: str = "") -> None:
        """``ends``: the status that it ends with, whatever becomes of its records; empty: what becomes of them."""
        self.arn = arn
        self.ends = ends
        self.request = request
        self.status = "Submitted"
        self.message = ""
        self.submitted = self.changed = time.time()
        self.counts = {"total": 0, "processed": 0, "success": 0, "error": 0}
        self.stopped = threading.Event()

    def view(self) -> dict[str, Any]:
        """The answer of GetModelInvocationJob."""
        given = {key: value for key, value in self.request.items() if key != "tags"}
        counts = {f"{name}RecordCount": number for name, number in self.counts.items()}
        ended = {"endTime": _stamp(self.changed)} if self.status in _DONE else {}
        times = {"submitTime": _stamp(self.submitted), "lastModifiedTime": _stamp(self.changed), **ended}
        return {"jobArn": self.arn, "status": self.status, "message": self.message, **given, **counts, **times}


class Jobs:
    """The jobs of a server."""

    def __init__(
        self, objects: Objects, ask: Ask, take_fault: Callable[[], str], *, fewest: int, seconds: float
    ) -> None:
        """``fewest`` records make a job; ``seconds`` pass before each job starts."""
        self._objects = objects
        self._ask = ask
        self._take_fault = take_fault
        self._fewest = fewest
        self._seconds = seconds
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def create(self, request: Mapping[str, Any], fault: str = "ok") -> dict[str, Any]:
        """Start a job; a second request with the same token gives the first one's. Raises Refused."""
        for key in ("jobName", "roleArn", "modelId"):
            if not isinstance(request.get(key), str):
                raise invalid(f"{key} is required")
        source = request["inputDataConfig"]["s3InputDataConfig"]["s3Uri"]
        token = request.get("clientRequestToken")
        with self._lock:
            for job in self._jobs.values():
                if token and job.request.get("clientRequestToken") == token:
                    if job.request != request:
                        raise Refused("ConflictException", "The token was used with other parameters.")
                    return {"jobArn": job.arn}
            if any(job.request["jobName"] == request["jobName"] for job in self._jobs.values()):
                raise Refused("ConflictException", "A job with this name exists.")
            data = self._objects.get(source)
            if data is None:
                raise invalid(f"Could not find the input at {source}.")
            ends = fault.removeprefix("job:") if fault.startswith("job:") else ""
            job = Job(f"{_ACCOUNT}:model-invocation-job/{len(self._jobs) + 1:012d}", request, ends)
            self._jobs[job.arn] = job
        threading.Thread(target=self._run, args=(job, data), daemon=True).start()
        return {"jobArn": job.arn}

    def get(self, name: str) -> dict[str, Any]:
        """A job by its ARN or id. Raises Refused."""
        with self._lock:
            return self._job(name).view()

    def stop(self, name: str) -> dict[str, Any]:
        """Stop a job; what it has done so far is written. Raises Refused."""
        with self._lock:
            job = self._job(name)
            if job.status in _DONE:
                raise Refused("ConflictException", f"The job is {job.status} and cannot be stopped.")
            job.status = "Stopping"
            job.stopped.set()
        return {}

    def every(self, query: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
        """Jobs, the newest first: those of a status, whose names contain a text, in pages. Raises Refused."""
        with self._lock:
            views = [job.view() for job in reversed(self._jobs.values())]
        wanted, part = query.get("statusEquals"), query.get("nameContains", "")
        found = [one for one in views if part in one["jobName"] and wanted in (None, one["status"])]
        try:
            first, most = int(query.get("nextToken", 0)), int(query.get("maxResults", 1000))
        except ValueError:
            raise invalid("nextToken or maxResults is not valid.") from None
        more = {"nextToken": str(first + most)} if len(found) > first + most else {}
        return {"invocationJobSummaries": found[first : first + most], **more}

    def _job(self, name: str) -> Job:
        for arn, job in self._jobs.items():
            if name in (arn, arn.rpartition("/")[2]):
                return job
        raise Refused("ResourceNotFoundException", "Could not find the job.")

    def _set(self, job: Job, status: str, message: str = "") -> None:
        with self._lock:
            job.status, job.message, job.changed = status, message, time.time()

    def _run(self, job: Job, data: bytes) -> None:
        lines = [line for line in data.splitlines() if line.strip()]
        job.counts["total"] = len(lines)
        stopped = job.stopped.wait(self._seconds)
        if not stopped:
            if len(lines) < self._fewest:
                self._set(job, "Failed", f"The input has {len(lines)} records; a job needs at least {self._fewest}.")
                return
            if job.ends == "Failed":
                self._set(job, "Failed", "The job was made to fail.")
                return
            self._set(job, "InProgress")
        answers: list[bytes] = []
        tokens = {"inputTokenCount": 0, "outputTokenCount": 0}
        for number, line in enumerate(lines):
            if job.stopped.is_set() or (job.ends and 2 * number >= len(lines)):
                break
            answers.append(self._answered(job, line, tokens))
        self._write(job, answers, tokens)
        if job.stopped.is_set() or job.ends:
            self._set(job, job.ends or "Stopped")
        else:
            self._set(job, "PartiallyCompleted" if job.counts["error"] else "Completed")

    def _answered(self, job: Job, line: bytes, tokens: dict[str, int]) -> bytes:
        row: dict[str, Any] = {}
        try:
            row = json.loads(line)
            fault = self._take_fault()
            if told(fault)[0] in EXCEPTIONS:
                raise Refused(*told(fault))
            kind = str(job.request.get("modelInvocationType", "InvokeModel"))
            reply, output = self._ask(kind, str(job.request["modelId"]), row["modelInput"])
        except Refused as error:
            row["error"] = {"errorCode": EXCEPTIONS[error.kind], "errorMessage": error.message}
            job.counts["error"] += 1
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            row = {**row, "error": {"errorCode": 400, "errorMessage": f"Malformed record: {error}"}}
            job.counts["error"] += 1
        else:
            row["modelOutput"] = output
            tokens["inputTokenCount"] += reply.usage.request
            tokens["outputTokenCount"] += reply.usage.output
            job.counts["success"] += 1
        job.counts["processed"] += 1
        return json.dumps(row).encode()

    def _write(self, job: Job, answers: list[bytes], tokens: Mapping[str, int]) -> None:
        source = job.request["inputDataConfig"]["s3InputDataConfig"]["s3Uri"]
        target = job.request["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"].rstrip("/")
        folder = f"{target}/{job.arn.rpartition('/')[2]}"
        self._objects.put(f"{folder}/{source.rpartition('/')[2]}.out", b"".join(line + b"\n" for line in answers))
        counts = {f"{name}RecordCount": number for name, number in job.counts.items()}
        self._objects.put(f"{folder}/manifest.json.out", json.dumps({**counts, **tokens}).encode())


def _stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
