"""Batch inference jobs and their S3 objects, through real boto3."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from bedrock_client import MODEL, client
from botocore.exceptions import ClientError

from promptslim.verify.local.answers import echo
from promptslim.verify.local.server import LocalServer
from promptslim.verify.local.service import Service

ROLE = "arn:aws:iam::123456789012:role/batch"


def upload(s3: Any, count: int) -> None:
    rows = [
        {
            "recordId": f"R{number}",
            "modelInput": {"messages": [{"role": "user", "content": [{"text": f"say {number}"}]}]},
        }
        for number in range(count)
    ]
    s3.put_object(Bucket="data", Key="in/run.jsonl", Body="".join(json.dumps(row) + "\n" for row in rows).encode())


def start(bedrock: Any, **more: Any) -> str:
    request = {
        "jobName": "run-1",
        "roleArn": ROLE,
        "modelId": MODEL,
        "modelInvocationType": "Converse",
        "inputDataConfig": {"s3InputDataConfig": {"s3Uri": "s3://data/in/run.jsonl", "s3InputFormat": "JSONL"}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://data/out/"}},
    }
    return str(bedrock.create_model_invocation_job(**{**request, **more})["jobArn"])


def ended(bedrock: Any, arn: str) -> dict[str, Any]:
    for _ in range(200):
        job: dict[str, Any] = bedrock.get_model_invocation_job(jobIdentifier=arn)
        if job["status"] in ("Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired"):
            return job
        time.sleep(0.02)
    raise AssertionError("the job does not end")


def test_a_job_answers_every_record() -> None:
    with LocalServer(Service(echo)) as running:
        bedrock, s3 = client(running.url, "bedrock"), client(running.url, "s3")
        upload(s3, 120)
        arn = start(bedrock, clientRequestToken="a" * 40)
        assert start(bedrock, clientRequestToken="a" * 40) == arn, "the same token is the same job"
        job = ended(bedrock, arn)
        assert (job["status"], job["totalRecordCount"], job["successRecordCount"]) == ("Completed", 120, 120)
        folder = f"out/{arn.rpartition('/')[2]}/"
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket="data", Prefix=folder)["Contents"]]
        assert keys == [f"{folder}manifest.json.out", f"{folder}run.jsonl.out"]
        rows = [json.loads(line) for line in s3.get_object(Bucket="data", Key=keys[1])["Body"].read().splitlines()]
        said = {row["recordId"]: row["modelOutput"]["output"]["message"]["content"][0]["text"] for row in rows}
        assert said == {f"R{number}": f"say {number}" for number in range(120)}
        manifest = json.loads(s3.get_object(Bucket="data", Key=keys[0])["Body"].read())
        assert manifest["inputTokenCount"] == sum(row["modelOutput"]["usage"]["inputTokens"] for row in rows)


def test_too_few_records_fail_and_faults_of_records_are_told() -> None:
    with LocalServer(Service(echo), fewest_records=3) as running:
        bedrock, s3 = client(running.url, "bedrock"), client(running.url, "s3")
        upload(s3, 2)
        assert "at least 3" in ended(bedrock, start(bedrock))["message"]
        upload(s3, 3)
        running.service.faults.order("ok", "ok", "ThrottlingException")
        job = ended(bedrock, start(bedrock, jobName="run-2"))
        assert (job["status"], job["errorRecordCount"]) == ("PartiallyCompleted", 1)


def test_a_job_is_stopped_and_what_is_missing_is_told() -> None:
    with LocalServer(Service(echo), fewest_records=1, job_seconds=30) as running:
        bedrock, s3 = client(running.url, "bedrock"), client(running.url, "s3")
        with pytest.raises(ClientError, match="Could not find the input"):
            start(bedrock)
        upload(s3, 2)
        arn = start(bedrock)
        bedrock.stop_model_invocation_job(jobIdentifier=arn)
        assert ended(bedrock, arn)["status"] == "Stopped"
        with pytest.raises(ClientError, match="NoSuchKey"):
            s3.get_object(Bucket="data", Key="none")
        with pytest.raises(ClientError, match="ResourceNotFound"):
            bedrock.get_model_invocation_job(
                jobIdentifier="arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/zzzzzzzzzzzz"
            )


def test_records_of_invoke_model_have_the_familys_body() -> None:
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    rows = [{"recordId": "A", "modelInput": body}, {"recordId": "B", "modelInput": {"messages": 7}}, {"recordId": "C"}]
    with LocalServer(Service(echo), fewest_records=1) as running:
        bedrock, s3 = client(running.url, "bedrock"), client(running.url, "s3")
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        s3.put_object(Bucket="data", Key="in/run.jsonl", Body=lines.encode())
        arn = start(bedrock, modelInvocationType="InvokeModel")
        assert ended(bedrock, arn)["errorRecordCount"] == 2
        key = f"out/{arn.rpartition('/')[2]}/run.jsonl.out"
        found = [json.loads(line) for line in s3.get_object(Bucket="data", Key=key)["Body"].read().splitlines()]
    assert found[0]["modelOutput"]["content"] == [{"type": "text", "text": "hi"}]
    assert [row["error"]["errorCode"] for row in found[1:]] == [400, 400]


def test_jobs_are_listed_in_pages_by_name_and_status() -> None:
    with LocalServer(Service(echo), fewest_records=1) as running:
        bedrock, s3 = client(running.url, "bedrock"), client(running.url, "s3")
        upload(s3, 4)
        running.service.faults.order("job:Failed")
        arns = [ended(bedrock, start(bedrock, jobName=f"run-{number}"))["jobArn"] for number in range(5)]
        pages = bedrock.get_paginator("list_model_invocation_jobs").paginate(maxResults=2)
        found = [one["jobArn"] for page in pages for one in page["invocationJobSummaries"]]
        assert found == arns[::-1]
        failed = bedrock.list_model_invocation_jobs(statusEquals="Failed")["invocationJobSummaries"]
        assert [one["jobName"] for one in failed] == ["run-0"]
        named = bedrock.list_model_invocation_jobs(nameContains="n-3")["invocationJobSummaries"]
        assert [one["jobArn"] for one in named] == [arns[3]]


@pytest.mark.parametrize("status", ["Expired", "Stopped"])
def test_a_job_that_ends_early_has_answered_some_records(status: str) -> None:
    with LocalServer(Service(echo), fewest_records=1) as running:
        bedrock, s3 = client(running.url, "bedrock"), client(running.url, "s3")
        upload(s3, 6)
        running.service.faults.order(f"job:{status}")
        job = ended(bedrock, start(bedrock))
        assert (job["status"], job["processedRecordCount"], job["totalRecordCount"]) == (status, 3, 6)
