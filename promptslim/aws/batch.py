"""Batch inference: upload, start a job, wait for it, fetch its answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from promptslim.aws.clients import Account, client
from promptslim.aws.failures import malformed, translated
from promptslim.core.call_fault import CannotCallError
from promptslim.core.record import record

FEWEST_RECORDS = 100
"""Records that a job must have, by the default of the service's quota."""

ENDED = frozenset({"Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired"})
_ATTEMPTS = 5


@record
class BatchPlace:
    """``role``: ARN of the role that the service reads and writes the objects with. ``folder``: ``s3://bucket/prefix``
    for what is sent and what comes back."""

    role: str
    folder: str


@record
class JobState:
    """Status in the service's words, its message, and the number of records that are done and that there are."""

    status: str
    message: str
    done: int
    total: int


class BatchJobs:
    """Clients for jobs and their objects. Every method raises CannotCallError; boto3 repeats what may be repeated, for
    nothing here is billed."""

    def __init__(self, account: Account, place: BatchPlace) -> None:
        if not place.folder.startswith("s3://") or not place.folder.removeprefix("s3://").strip("/"):
            raise CannotCallError(f"{place.folder!r} is not a place for batch inference: give s3://BUCKET/PREFIX")
        self._bedrock = client("bedrock", account, timeout=60, attempts=_ATTEMPTS)
        self._s3 = client("s3", account, timeout=60, attempts=_ATTEMPTS)
        self._place = place
        bucket, _, prefix = place.folder.removeprefix("s3://").partition("/")
        self._bucket = bucket
        self._prefix = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""

    def start(self, name: str, model: str, records: Mapping[str, Mapping[str, Any]]) -> str:
        """Upload the inputs of Converse by record id and start a job for them; its ARN.

        ``name`` makes it one job: the same name with the same records is never started twice.
        """
        key = f"{self._prefix}{name}.jsonl"
        lines = (json.dumps({"recordId": record_id, "modelInput": body}) for record_id, body in records.items())
        data = "".join(f"{line}\n" for line in lines).encode()
        self._do(
            lambda: self._s3.put_object(Bucket=self._bucket, Key=key, Body=data), f"upload to {self._place.folder}"
        )
        request = {
            "jobName": name,
            "clientRequestToken": name,
            "roleArn": self._place.role,
            "modelId": model,
            "modelInvocationType": "Converse",
            "inputDataConfig": {"s3InputDataConfig": {"s3Uri": f"s3://{self._bucket}/{key}", "s3InputFormat": "JSONL"}},
            "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": f"s3://{self._bucket}/{self._prefix}out/"}},
        }
        answer = self._do(lambda: self._bedrock.create_model_invocation_job(**request), f"batch job for {model}")
        return str(answer["jobArn"])

    def state(self, arn: str) -> JobState:
        """How far a job is."""
        job = self._do(lambda: self._bedrock.get_model_invocation_job(jobIdentifier=arn), f"batch job {arn}")
        done, total = job.get("processedRecordCount", 0), job.get("totalRecordCount", 0)
        return JobState(str(job["status"]), " ".join(str(job.get("message", "")).split()), done, total)

    def wait(self, arn: str, told: Callable[[JobState], None], seconds: float = 30) -> JobState:
        """Ask until the job has ended, first soon and then every ``seconds``; each state is ``told``."""
        pause = min(1.0, seconds)
        while True:
            state = self.state(arn)
            told(state)
            if state.status in ENDED:
                return state
            time.sleep(pause)
            pause = min(2 * pause, seconds)

    def find(self, name: str) -> str | None:
        """The ARN of the job of that name; None where there is none."""
        found = self._do(lambda: self._bedrock.list_model_invocation_jobs(nameContains=name), "list of batch jobs")
        jobs = found.get("invocationJobSummaries", ())
        return next((str(one["jobArn"]) for one in jobs if one["jobName"] == name), None)

    def answers(self, arn: str, *, whole: bool = True) -> Iterator[Mapping[str, Any]]:
        """The lines of the answers: ``recordId`` with ``modelOutput`` or ``error``. ``whole``: there are some."""
        folder = f"{self._prefix}out/{arn.rpartition('/')[2]}/"
        about = f"s3://{self._bucket}/{folder}"
        found = self._do(lambda: self._s3.list_objects_v2(Bucket=self._bucket, Prefix=folder), about)
        keys = [str(one["Key"]) for one in found.get("Contents", ()) if str(one["Key"]).endswith(".jsonl.out")]
        if not keys and whole:
            raise CannotCallError(f"{about}: the job has left no answers; look at it in the AWS console")
        for key in keys:
            data = self._do(lambda key=key: self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read(), about)  # type: ignore[misc]
            for line in data.splitlines():
                if line.strip():
                    yield _row(line, about)

    def _do(self, call: Callable[[], Any], about: str) -> Any:  # noqa: ANN401 (boto3 has no types)
        try:
            return call()
        except Exception as error:  # noqa: BLE001 (what is not of AWS is raised again)
            failure = translated(error, about)
        if isinstance(failure, CannotCallError):
            raise failure
        raise CannotCallError(f"{about}: {failure}; run it again, nothing is lost") from None


def _row(line: bytes, about: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict) or "recordId" not in row:
        raise CannotCallError(f"{about}: {malformed('a line is not an answer')}")
    return row
